"""Which face a session wears, and how it changes during the conversation.

One face is opened at a time: of several requests the last one counts, and a client that keeps changing faces gets only
a share of the drawing threads that all sessions use.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from companion.avatar.faces.looks import Looks
from companion.avatar.portraits import PictureError
from companion.avatar.show import Show
from companion.protocol.events import Problem
from companion.protocol.settings import Avatar, Video

log = logging.getLogger(__name__)

REST_SHARE = 3.0  # times as long as opening a face took, until the next one is opened


class Wardrobe:
    """``spawn`` starts a named task of the session; ``dressed`` is called when a new face is there."""

    def __init__(
        self,
        looks: Looks,
        show: Show,
        complain: Callable[[Problem], None],
        spawn: Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]],
        dressed: Callable[[], None],
    ) -> None:
        self._looks, self._show = looks, show
        self._complain, self._spawn, self._dressed = complain, spawn, dressed
        self._opening: asyncio.Task[None] | None = None
        self._wish: Avatar | None = None  # to be opened next
        self._chosen: tuple[str, Video] | None = None  # what is worn or being opened; None when that failed
        self._held: object = None  # keeps the picture

    @property
    def busy(self) -> bool:
        """Whether a face is being prepared."""
        return self._opening is not None

    def dress(self, avatar: Avatar | None, before: Avatar | None) -> None:
        """Change from one avatar to another. The old face stays while a new character or codec is prepared; a face that
        failed is tried again."""
        if avatar is None:
            self._show.wear(None)
            self._wish = None
            self._chosen = self._held = None
            return
        if avatar != before:
            self._show.control = avatar.control()
        if self._chosen != (avatar.character, avatar.video):
            self._chosen = (avatar.character, avatar.video)
            self._held = self._looks.hold(avatar.character)
            self._wish = avatar
            self._opening = self._opening or self._spawn(self._open_wishes(), "face")

    def close(self) -> None:
        """The session is over: nobody wears the picture any more."""
        self._held = None

    def failed(self, error: Exception) -> None:
        """Tell the client that its face is gone."""
        self._chosen = None
        log.error("the face failed: %s", type(error).__name__, exc_info=error)
        message = "The face cannot be shown; the conversation goes on without it. Choose a character to try again."
        self._complain(Problem("face_failed", message, "server_error"))

    async def _open_wishes(self) -> None:
        """Open requested faces until the last one is open."""
        loop = asyncio.get_running_loop()
        try:
            while avatar := self._wish:
                self._wish = None
                begun = loop.time()
                await self._open(avatar)
                if self._wish:
                    await asyncio.sleep(REST_SHARE * (loop.time() - begun))
        finally:
            self._opening = None

    async def _open(self, avatar: Avatar) -> None:
        """Open a face and wear it, unless another one is wanted by then."""
        choice = (avatar.character, avatar.video)
        try:
            look = await self._looks.open(avatar)
        except PictureError as error:
            if self._chosen == choice:
                self._chosen = None
                self._complain(Problem(error.code, str(error), param="session.avatar.character"))
        except Exception as error:  # any animator may fail in any way; the conversation goes on without it
            if self._chosen == choice:
                self.failed(error)
        else:
            if self._chosen != choice:
                look.encoder.close()
                return
            self._wish = None  # the same was wished for again meanwhile
            self._show.wear(look)
            self._dressed()
