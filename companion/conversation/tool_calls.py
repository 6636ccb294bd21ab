"""The calls of tools in one response, and the events that tell a client about them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from companion.conversation.items import Item, announce
from companion.protocol import events
from companion.protocol.events import ServerEvent


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """Those of the response ``id``. ``tell`` sends an event, ``join`` puts an item into the conversation -> the id of
    the one before; ``over`` says whether the response adds nothing any more. A call's place in the output comes after
    that of what is said."""

    id: str
    tell: Callable[[ServerEvent], None]
    join: Callable[[Item], str | None]
    over: Callable[[], bool]
    items: list[Item] = field(default_factory=list[Item])

    def begin(self, item: Item) -> None:
        """A tool is going to be called."""
        self.items.append(item)
        previous = self.join(item)
        self.tell(events.OutputItemAdded(self.id, item.to_json(), len(self.items)))
        self.tell(events.ItemAdded(item.to_json(), previous))

    def argue(self, item: Item, arguments: str) -> None:
        """More of the arguments of a call."""
        if item.call and not self.over():
            item.call = replace(item.call, arguments=item.call.arguments + arguments)
            self.tell(events.CallArgumentsDelta(self.id, item.id, item.call.id, self._place(item), arguments))

    def end(self, item: Item) -> None:
        """A call is written."""
        if item.call and not self.over():
            item.status = "completed"
            place, call = self._place(item), item.call
            self.tell(events.CallArgumentsDone(self.id, item.id, call.id, place, call.name, call.arguments))
            self.tell(events.OutputItemDone(self.id, item.to_json(), place))
            self.tell(events.ItemDone(item.to_json(), None))

    def answered(self, item: Item) -> None:
        """A tool of the server gave its result."""
        announce(item, self.join(item), self.tell)

    def _place(self, item: Item) -> int:
        return self.items.index(item) + 1
