"""What the face says without being asked: its greeting, announcements of tools, and a word to a user who is silent."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from companion.conversation.items import Conversation, unsaid
from companion.conversation.response import Wishes
from companion.dialogue.mind import Mind
from companion.hearing.hearing import Hearing
from companion.protocol.settings import Settings
from companion.session.replies.responder import Responder
from companion.tasks import Spawn

SETTLED_S = 0.5  # in which a client that has come back says what was heard, and lets its face be heard again
FACE_S = 5.0  # that its face may take to appear


@dataclass(frozen=True, slots=True)
class Cut:
    """A reply that was cut off when the connection was lost. ``item`` is the id of what was said of it so far, "" if
    nothing was."""

    item: str
    wishes: Wishes


class Announcements:
    """What is to be said as soon as nobody speaks."""

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._due: deque[str] = deque()

    def add(self, text: str, after: float = 0.0) -> None:
        """``text`` is due in ``after`` seconds."""
        self._spawn(self._wait(text, after), "announce")

    def take(self) -> str:
        """The announcement that has been due longest; "" if none is."""
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
        self.greeted = False
        self.over = asyncio.Event()  # the time that the user had, and nothing follows
        self.cut: Cut | None = None  # what is to be said to its end
        self._goes_on_at = 0.0  # loop time
        self._expecting = False  # the user may speak from the next tick on
        self._silent_since: float | None = None  # s of received sound at which it was the user's turn to speak

    def greet(self) -> None:
        """A face has appeared: say that it is an AI, and hello, once."""
        self._goes_on_at = min(self._goes_on_at, asyncio.get_running_loop().time() + SETTLED_S)
        if self.greeted:
            return
        self.greeted = True
        self._mind.disclose()
        if self._greets and self._responder.reply is None and not self._conversation:
            self._responder.start(self._responder.usual, text=self._mind.persona.greeting)

    def resume(self, greeted: bool, cut: Cut | None) -> None:
        """Go on from an earlier session: finish what it was saying, unless the user speaks first."""
        self.greeted, self.cut = greeted, cut
        wait = FACE_S if self._settings().avatar else SETTLED_S
        self._goes_on_at = asyncio.get_running_loop().time() + wait

    def expect_user(self) -> None:
        """A reply is over: it is the user's turn."""
        self._expecting = True

    def user_starts(self) -> None:
        """The user speaks."""
        self._expecting, self._silent_since = False, None

    def tick(self, hearing: Hearing) -> None:
        """Say what is due, if nobody speaks."""
        guard = self._mind.guard
        guard.stay.tick()
        if self._expecting:
            self._expecting, self._silent_since = False, hearing.now
        if guard.stay.ended(self._responder.reply is not None):
            self.over.set()
        elif self._responder.reply is not None or hearing.busy:
            self.cut = None
        elif self.cut:
            self._go_on(self.cut)
        elif text := guard.time_word() or self._announcements.take():
            self._responder.start(self._responder.usual, text=text)
        elif self._silent_since is not None and self._is_too_long(hearing.now - self._silent_since):
            hearing.commit_silence(self._silent_since)
            self._silent_since = None
            self._responder.start(self._responder.usual, silence=True)

    def _go_on(self, cut: Cut) -> None:
        """With the words that were not heard, or with the answer that did not come."""
        if asyncio.get_running_loop().time() < self._goes_on_at:
            return
        self.cut = None
        written = cut.item in self._conversation and not self._conversation[cut.item].sound
        if written:
            self._conversation.delete(cut.item)
        if cut.item not in self._conversation:
            self._responder.start(cut.wishes)
        elif text := unsaid(self._conversation[cut.item]):
            self._responder.start(cut.wishes, text=text)

    def _is_too_long(self, silence: float) -> bool:
        detection = self._settings().audio.input.turn_detection
        limit = detection.idle_timeout_ms if detection else None
        return limit is not None and silence >= limit / 1000 and not self._mind.quiet
