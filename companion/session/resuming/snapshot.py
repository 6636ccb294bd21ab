"""All that is needed to go on with a conversation in another session."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from animator.control import Control
from companion.conversation.items import Item
from companion.protocol.events import Json
from companion.protocol.settings import Settings
from companion.session.replies.initiative import Cut

MOST_ITEMS = 200  # the newest, of a long conversation: what a language model reads of it is less


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """``visitor`` is whom it belongs to, as `Visitor.user`; ``control`` what the client wished of the face; ``running``
    as in `Conversation`; ``stored`` the items that the memory has been given; ``mind`` as `Mind.state`."""

    visitor: str | None
    settings: Settings
    control: Control
    items: list[Item]
    running: dict[str, str]
    stored: list[str]
    cut: Cut | None
    greeted: bool
    mind: Json

    @property
    def user(self) -> str:
        """Whose it is, for who wants everything of a user deleted; "" where nobody was named."""
        return self.settings.whose(self.visitor)


_ADAPTER = TypeAdapter(Snapshot)


def dumps(snapshot: Snapshot) -> bytes:
    """As `loads` takes it."""
    return _ADAPTER.dump_json(snapshot)


def loads(data: bytes) -> Snapshot:
    """Raises ValueError for what another version of the program has written in another way."""
    return _ADAPTER.validate_json(data)
