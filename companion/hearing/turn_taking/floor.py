"""Who has the floor: what the user's side of a conversation asks of the session."""

from typing import Protocol

from companion.stages.protocols import Samples, Transcript


class Floor(Protocol):
    """The session, as its hearing sees it."""

    @property
    def speaking(self) -> bool:
        """Whether the face has the floor."""
        ...

    def hold(self, since: float) -> None:
        """The user may be taking the floor, having begun to speak at loop time ``since``: pause."""
        ...

    def release(self) -> None:
        """The user is not taking the floor: go on."""
        ...

    def user_starts(self, interrupts: bool) -> bool:
        """The user takes the floor, and ends a reply if it ``interrupts`` -> whether this only continues their last
        turn, which is still being transcribed."""
        ...

    @property
    def curious(self) -> bool:
        """Whether the words of a turn are of use before it ends."""
        ...

    def user_is_saying(self, said: Transcript, whole: bool) -> None:
        """The words of a turn that is not over; later words may correct them. ``whole``: a pause follows."""
        ...

    def user_resumes(self) -> None:
        """The pause is over, and the turn is not."""
        ...

    def user_goes_on(self) -> None:
        """A phrase of a long turn ends, and more will follow."""
        ...

    def user_said(self, item_id: str, ended: float) -> None:
        """A turn is over, though its words may still be in transcription. ``ended``: loop time at which the speech
        ended."""
        ...

    @property
    def clock(self) -> int:
        """Samples at `SPEAK_RATE` that were sent so far, silence included."""
        ...

    def played(self) -> Samples:
        """What was sent as sound in the last seconds, at `SPEAK_RATE`."""
        ...
