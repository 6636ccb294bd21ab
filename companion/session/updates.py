"""Applies a client's `session.update`: changes the settings, and tells the parts that they concern."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from companion.avatar.faces.wardrobe import Wardrobe
from companion.dialogue.mind import Mind
from companion.hearing.hearing import Hearing
from companion.protocol import events
from companion.protocol.changes import unknown
from companion.protocol.events import Json, Problem, SessionUpdate
from companion.protocol.settings import Settings
from companion.session.client.client import Client
from companion.session.client.effective import Offered, changed, uncovered
from companion.session.client.recorder import Recorder
from companion.session.client.visitor import Visitor
from companion.session.replies.attention import Attention
from companion.session.replies.presence import Presence
from companion.session.replies.responder import Responder
from companion.tasks import Spawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """Those of the session ``id``. ``now`` gives the settings that hold, ``hold`` takes others in their place;
    ``defaults``, ``visitor`` and ``offered`` as in `changed`."""

    id: str
    now: Callable[[], Settings]
    hold: Callable[[Settings], None]
    defaults: Settings
    visitor: Visitor
    offered: Offered
    client: Client
    mind: Mind
    attention: Attention
    responder: Responder
    hearing: Hearing
    wardrobe: Wardrobe
    presence: Presence
    recorder: Recorder
    spawn: Spawn

    def take(self, event: SessionUpdate) -> None:
        """Apply what can be used of it, and tell the client about the rest."""
        done = changed(self.now(), event.session, self.defaults, self.visitor, self.offered)
        if done.change or not done.refused:
            self._apply(done.settings, done.change)
        for error in done.refused:
            self.client.complain(Problem(error.code, str(error), param=error.param, event_id=event.event_id))
        for path in unknown(event.session):
            message = f"`{path}` is not known here and was left out; the rest holds."
            self.client.complain(Problem("unsupported", message, param=path, event_id=event.event_id))

    def leave_withdrawn(self) -> None:
        """Take off a face whose picture was withdrawn at once, and put on another; the client is told. Quick."""
        if new := uncovered(self.now(), self.offered):
            self.wardrobe.dress(None, self.now().avatar)  # otherwise it stays until the other one is ready
            message = "The picture of this face was withdrawn. Another face is shown."
            self.client.complain(Problem("picture_withdrawn", message, param="session.avatar.character"))
            self._apply(new, {})

    def unrecord(self) -> None:
        """The recording has ended by itself."""
        self._apply(replace(self.now(), recording=None), {})

    def beside(self) -> Json:
        """What the client is told of the session beside its settings."""
        return {"disclosure": self.mind.notice, "recordable": self.offered.records}

    def _apply(self, new: Settings, change: Json) -> None:
        before = self.now()
        self.hold(new)
        if new.audio.input != before.audio.input:
            self.hearing.configure(new.audio.input)
        if self.responder.reply is None and not self.hearing.busy:
            self.attention.prepare()
        if (new.persona, new.audio.output) != (before.persona, before.audio.output):
            self.attention.rehearse()
        if new.memory != before.memory:
            self.mind.recollection.agree(new.memory)
            self.spawn(self._meet(), "consent")
        if new.recording != before.recording:
            self.recorder.agree(new.recording)
        if "avatar" in change or new.avatar != before.avatar:
            self.wardrobe.dress(new.avatar, before.avatar)
            self.presence.tell()
        self.client.tell(events.SessionUpdated(new.to_json(self.id) | self.beside()))

    async def _meet(self) -> None:
        """Recall what is known of a user who has agreed to be remembered, or who has changed."""
        await self.mind.recollection.meet()
        self.attention.prepare()
