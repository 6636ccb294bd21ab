"""Takes a `Snapshot` of a session's parts, and restores them from one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from companion.avatar.show import Show
from companion.conversation.items import Conversation, Item
from companion.dialogue.mind import Mind
from companion.protocol.settings import Settings
from companion.session.client.visitor import Visitor
from companion.session.replies.initiative import Cut, Initiative
from companion.session.replies.responder import Responder
from companion.session.resuming.snapshot import MOST_ITEMS, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrying:
    """One session's. ``settings`` gives those that hold now."""

    visitor: Visitor
    settings: Callable[[], Settings]
    conversation: Conversation
    show: Show
    mind: Mind
    responder: Responder
    initiative: Initiative

    def snapshot(self) -> Snapshot:
        """The session as it stands; what is being said is cut at what has been heard."""
        return Snapshot(
            visitor=self.visitor.user,
            settings=self.settings(),
            control=self.show.control,
            items=[self._cut(item) for item in self.conversation][-MOST_ITEMS:],
            running=dict(self.conversation.running),
            stored=self.mind.recollection.stored(),
            cut=self._unfinished(),
            greeted=self.initiative.greeted,
            mind=self.mind.state(),
        )

    def restore(self, before: Snapshot) -> None:
        """Restore it into a session that has its settings and has not begun."""
        recollection = self.mind.recollection
        recollection.agree(before.settings.memory)
        for item in before.items:
            self.conversation.add(item)
        self.conversation.running.update(before.running)
        recollection.pass_over(before.stored)
        self.mind.restore(before.mind)
        self.show.control = before.control
        self.initiative.resume(before.greeted, before.cut)

    def _cut(self, item: Item) -> Item:
        item = replace(item, begun=None)  # the next session has another clock
        if item.status != "in_progress":
            return item
        return replace(item, status="incomplete", heard=self.show.surely_heard() if item.sound else None)

    def _unfinished(self) -> Cut | None:
        reply = self.responder.reply
        if reply is None or reply.silence:
            return None if reply else self.initiative.cut
        return Cut(reply.item.id if reply.item.id in self.conversation else "", replace(reply.wishes, asked=False))
