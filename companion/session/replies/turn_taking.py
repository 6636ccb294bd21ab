"""Turn-taking: what the user's side of a conversation does to the face's."""

from collections.abc import Callable

from companion.avatar.show import Show
from companion.protocol.settings import Settings
from companion.session.replies.attention import Attention
from companion.session.replies.initiative import Initiative
from companion.session.replies.responder import Responder
from companion.stages.protocols import Samples, Transcript


class TurnTaking:
    """The `Floor` of a session. ``settings`` gives those that hold now; ``tell_state`` tells the client at once what
    the face does."""

    def __init__(
        self,
        responder: Responder,
        attention: Attention,
        initiative: Initiative,
        show: Show,
        settings: Callable[[], Settings],
        tell_state: Callable[[], None],
    ) -> None:
        self._responder, self._attention, self._initiative = responder, attention, initiative
        self._show, self._settings, self._tell_state = show, settings, tell_state

    @property
    def speaking(self) -> bool:
        return self._show.speaking

    @property
    def clock(self) -> int:
        return self._show.clock

    @property
    def curious(self) -> bool:
        return self._attention.curious and self._responder.reply is None

    def played(self) -> Samples:
        return self._show.recent()

    def hold(self, since: float) -> None:
        self._show.hold(since)
        self._tell_state()  # the client silences what it has; the next chunk would be up to 40 ms later

    def release(self) -> None:
        self._show.release()

    def user_starts(self, interrupts: bool) -> bool:
        """Speech that resumes while its first part is still being transcribed was a pause; else it interrupts."""
        self._initiative.user_starts()
        reply = self._responder.reply
        if reply and not reply.created:
            self._attention.drop()
            self._responder.abandon()
            return True
        if interrupts:
            self._responder.interrupt("turn_detected")
        return False

    def user_is_saying(self, said: Transcript, whole: bool) -> None:
        if self._responder.reply is None:
            self._attention.follow(said, whole)

    def user_resumes(self) -> None:
        if self._responder.reply is None:
            self._attention.drop()

    def user_goes_on(self) -> None:
        if self._settings().avatar is not None and self._responder.reply is None:
            self._attention.murmur()

    def user_said(self, item_id: str, ended: float) -> None:
        if self._responder.reply is None:
            self._responder.start(self._responder.usual, ended, item_id)
