"""Who has the floor: what the user's side of a conversation asks of the session, and what the session does then."""

from typing import TYPE_CHECKING

from companion.conversation.response import Wishes
from companion.stages.protocols import Samples, Transcript

if TYPE_CHECKING:
    from companion.session.session import Session


class Chair:
    """The `Floor` of a session."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    @property
    def speaking(self) -> bool:
        return self._session.show.speaking

    def hold(self) -> None:
        self._session.show.hold()

    def release(self) -> None:
        self._session.show.release()

    def user_starts(self, interrupts: bool) -> bool:
        """Speech that resumes while its first part is still being transcribed was a pause; else it interrupts."""
        session = self._session
        session.initiative.user_starts()
        if session.reply and not session.reply.created:
            session.drop_draft()
            session.abandon()
            return True
        if interrupts:
            session.interrupt("turn_detected")
        return False

    @property
    def curious(self) -> bool:
        return self._session.listening.curious and self._session.reply is None

    def user_is_saying(self, said: Transcript, whole: bool) -> None:
        if self._session.reply is None:
            self._session.listening.follow(said, whole)

    def user_resumes(self) -> None:
        if self._session.reply is None:
            self._session.drop_draft()

    def user_goes_on(self) -> None:
        if self._session.settings.avatar is not None and self._session.reply is None:
            self._session.listening.murmur()

    def user_said(self, item_id: str, ended: float) -> None:
        if self._session.reply is None:
            sound = self._session.settings.output_modalities[0] == "audio"
            self._session.start(Wishes(sound=sound), ended, item_id)

    @property
    def clock(self) -> int:
        return self._session.show.clock

    def played(self) -> Samples:
        return self._session.show.recent()
