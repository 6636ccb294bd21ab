"""What the face says of its own accord: its greeting, what tools announce, and a word to a user who is silent."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from companion.conversation.items import Conversation
from companion.conversation.response import Reply, Wishes
from companion.dialogue.mind import Mind
from companion.engine import Engine
from companion.hearing.hearing import Hearing
from companion.protocol.settings import Settings


class Owner(Protocol):
    """The session, as its initiative sees it."""

    @property
    def engine(self) -> Engine: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def conversation(self) -> Conversation: ...
    @property
    def hearing(self) -> Hearing: ...
    @property
    def mind(self) -> Mind: ...
    @property
    def reply(self) -> Reply | None: ...
    def start(
        self, wishes: Wishes, since: float, said: str | None = None, text: str = "", silence: bool = False
    ) -> None: ...


class Initiative:
    """One session's. ``spawn`` starts a named task that ends with the session."""

    def __init__(self, owner: Owner, spawn: Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]]) -> None:
        self._owner, self._spawn = owner, spawn
        self._announcements: deque[str] = deque()
        self._greeted = False
        self._silent_since: float | None = None  # s of received sound at which it was the user's turn to speak

    def greet(self) -> None:
        """A face has appeared: say that it is an AI, and hello, once."""
        owner = self._owner
        if not self._greeted:
            owner.mind.disclose()
        wanted = owner.engine.config.session.greet and not self._greeted
        if wanted and owner.reply is None and not owner.conversation:
            self._start(owner.mind.persona.greeting)
        self._greeted = True

    def announce(self, text: str, after: float = 0.0) -> None:
        """Say ``text`` in ``after`` seconds, as soon as nobody speaks."""
        self._spawn(self._wait_to_say(text, after), "announce")

    def expect_user(self) -> None:
        """A reply is over: it is the user's turn to speak."""
        self._silent_since = self._owner.hearing.now

    def user_starts(self) -> None:
        self._silent_since = None

    def tick(self) -> None:
        """Say what is due, if nobody speaks."""
        owner = self._owner
        if owner.reply is not None or owner.hearing.busy:
            return
        if self._announcements:
            self._start(self._announcements.popleft())
        elif self._silent_since is not None and self._is_too_long(since := self._silent_since):
            self._silent_since = None
            owner.hearing.commit_silence(since)
            self._start("", silence=True)

    def _is_too_long(self, since: float) -> bool:
        detection = self._owner.settings.audio.input.turn_detection
        limit = detection.idle_timeout_ms if detection else None
        return limit is not None and self._owner.hearing.now - since >= limit / 1000

    def _start(self, text: str, silence: bool = False) -> None:
        wishes = Wishes(sound=self._owner.settings.output_modalities[0] == "audio")
        self._owner.start(wishes, asyncio.get_running_loop().time(), text=text, silence=silence)

    async def _wait_to_say(self, text: str, after: float) -> None:
        await asyncio.sleep(after)
        self._announcements.append(text)
