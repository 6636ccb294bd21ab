"""What the face says of its own accord: its greeting, what tools announce, and a word to a user who is silent."""

import asyncio
from collections import deque
from collections.abc import Callable

from companion.conversation.items import Conversation
from companion.dialogue.mind import Mind
from companion.hearing.hearing import Hearing
from companion.protocol.settings import Settings
from companion.session.replies.responder import Responder
from companion.tasks import Spawn


class Announcements:
    """What is to be said as soon as nobody speaks."""

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._due: deque[str] = deque()

    def add(self, text: str, after: float = 0.0) -> None:
        """``text`` is due in ``after`` seconds."""
        self._spawn(self._wait(text, after), "announce")

    def take(self) -> str:
        """What has been due longest; "" if nothing is."""
        return self._due.popleft() if self._due else ""

    async def _wait(self, text: str, after: float) -> None:
        await asyncio.sleep(after)
        self._due.append(text)


class Initiative:
    """One session's. ``greets``: a face that appears says hello; ``settings`` gives those that hold now."""

    def __init__(
        self,
        mind: Mind,
        responder: Responder,
        conversation: Conversation,
        announcements: Announcements,
        settings: Callable[[], Settings],
        greets: bool,
    ) -> None:
        self._mind, self._responder, self._conversation = mind, responder, conversation
        self._announcements, self._settings, self._greets = announcements, settings, greets
        self._greeted = False
        self._silent_since: float | None = None  # s of received sound at which it was the user's turn to speak

    def greet(self) -> None:
        """A face has appeared: say that it is an AI, and hello, once."""
        if self._greeted:
            return
        self._greeted = True
        self._mind.disclose()
        if self._greets and self._responder.reply is None and not self._conversation:
            self._responder.start(self._responder.usual, text=self._mind.persona.greeting)

    def expect_user(self, now: float) -> None:
        """A reply is over: from that second of the sound on it is the user's turn to speak."""
        self._silent_since = now

    def user_starts(self) -> None:
        self._silent_since = None

    def tick(self, hearing: Hearing) -> None:
        """Say what is due, if nobody speaks."""
        if self._responder.reply is not None or hearing.busy:
            return
        if text := self._announcements.take():
            self._responder.start(self._responder.usual, text=text)
        elif self._silent_since is not None and self._is_too_long(hearing.now - self._silent_since):
            hearing.commit_silence(self._silent_since)
            self._silent_since = None
            self._responder.start(self._responder.usual, silence=True)

    def _is_too_long(self, silence: float) -> bool:
        detection = self._settings().audio.input.turn_detection
        limit = detection.idle_timeout_ms if detection else None
        return limit is not None and silence >= limit / 1000 and not self._mind.quiet
