"""Warm-up: what the server prepares while no session runs, so that the first one has no extra latency."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from companion.dialogue.personas.personas import Persona

log = logging.getLogger(__name__)


class WarmUp:
    """``warm`` prepares the default face; ``read`` has the language model read the persona of an id; ``personas``
    returns all personas, the most likely one first."""

    def __init__(
        self,
        warm: Callable[[], Awaitable[None]],
        read: Callable[[str], Coroutine[Any, Any, None]],
        personas: Callable[[], Sequence[Persona]],
    ) -> None:
        self._warm, self._read, self._personas = warm, read, personas
        self.face: bool | None = None  # whether the default face can be shown; None: not known yet
        self._alone = asyncio.Event()  # no session runs
        self._alone.set()
        self._reading: asyncio.Task[None] | None = None

    def pause(self) -> None:
        """Stop reading personas: a session begins, and needs the language model."""
        self._alone.clear()
        if self._reading:
            self._reading.cancel()

    def go_on(self) -> None:
        """Resume reading personas: the last session has ended."""
        self._alone.set()

    async def run(self) -> None:
        """Prepare the face, then have each persona read. Failures are logged, not raised."""
        try:
            await self._warm()
            self.face = True
        except Exception as error:  # the first session will report it to its client
            self.face = False
            log.error("the default face cannot be prepared: %s", error)
        for persona in self._personas():
            await self._alone.wait()
            while not await self._try(persona):
                await self._alone.wait()

    async def _try(self, persona: Persona) -> bool:
        """Have one persona read -> whether that ended, in success or failure, before a session began."""
        self._reading = reading = asyncio.create_task(self._read(persona.id), name="read a persona")
        try:
            await asyncio.wait([reading])
        finally:  # ended already, unless the server stops
            reading.cancel()
            await asyncio.wait([reading])
        if reading.cancelled():
            return False
        if error := reading.exception():  # the first reply will report it as well
            log.error("a persona cannot be read: %s", type(error).__name__)
        return True
