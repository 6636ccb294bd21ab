"""Presence: what the face does, and what the client was last told of it."""

from collections.abc import Callable

from animator.control import State
from companion.avatar.faces.wardrobe import Wardrobe
from companion.avatar.show import Show
from companion.hearing.hearing import Hearing
from companion.protocol import events
from companion.protocol.settings import Settings
from companion.session.client.client import Client
from companion.session.replies.responder import Responder


class Presence:
    """One session's. ``settings`` gives those that hold now."""

    def __init__(
        self,
        client: Client,
        show: Show,
        responder: Responder,
        hearing: Hearing,
        wardrobe: Wardrobe,
        settings: Callable[[], Settings],
    ) -> None:
        self._client, self._show, self._responder = client, show, responder
        self._hearing, self._wardrobe, self._settings = hearing, wardrobe, settings
        self._told = ""

    @property
    def state(self) -> State:
        if self._show.speaking:
            return "listening" if self._show.holding else "speaking"
        if self._responder.reply is not None:
            return "thinking"
        return "listening" if self._hearing.attentive else "idle"

    def tell(self) -> None:
        """Tell the client what the face is doing, if that has changed."""
        state = "initializing" if self._wardrobe.busy else self.state
        if self._settings().avatar is not None and state != self._told:
            self._told = state
            self._client.tell(events.AvatarState(state))
