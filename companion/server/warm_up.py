"""What the server prepares while nobody talks, so that the first session waits for nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from companion.dialogue.personas.personas import Persona

log = logging.getLogger(__name__)


class WarmUp:
    """``warm`` prepares the default face; ``read`` lets the language model read the persona of an id; ``personas``
    gives them all, the most likely one first."""

    def __init__(
        self,
        warm: Callable[[], Awaitable[None]],
        read: Callable[[str], Coroutine[Any, Any, None]],
        personas: Callable[[], Sequence[Persona]],
    ) -> None:
        self._warm, self._read, self._personas = warm, read, personas
        self.face: bool | None = None  # whether the default one can be shown; None: nobody knows yet
        self._alone, self._busy = asyncio.Event(), asyncio.Event()
        self._alone.set()

    def pause(self) -> None:
        """A session begins: it needs the language model."""
        self._alone.clear()
        self._busy.set()

    def go_on(self) -> None:
        """The last session is over."""
        self._alone.set()
        self._busy.clear()

    async def run(self) -> None:
        """Prepare the face, then have each persona read."""
        try:
            await self._warm()
            self.face = True
        except Exception as error:  # a session will say what is wrong with the face
            self.face = False
            log.error("the default face cannot be prepared: %s", error)
        for persona in self._personas():
            while not await self._try(persona):
                await self._alone.wait()

    async def _try(self, persona: Persona) -> bool:
        """Have it read, unless a session begins -> whether it is read."""
        reading = asyncio.create_task(self._read(persona.id), name="read a persona")
        busy = asyncio.create_task(self._busy.wait(), name="a session")
        try:
            await asyncio.wait([reading, busy], return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            busy.cancel()
            await asyncio.wait([reading])
        if reading.cancelled():
            return False
        if error := reading.exception():  # the first reply will say it, too
            log.error("a persona cannot be read: %s", type(error).__name__)
        return True
