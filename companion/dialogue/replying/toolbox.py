"""Function calling: the language model asks for a tool; tools of the server run here, those of the client at the
client.

The face goes on while a tool runs. An interruption ends the reply but not the tool, which may already have had an
effect: its result becomes an item when it is there, and until then the model is told that the tool runs.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from companion.config import Stage, load_class
from companion.conversation.items import Conversation, Item
from companion.conversation.response import Reply
from companion.protocol.events import AvatarProgress, Json
from companion.protocol.ids import new_id
from companion.protocol.settings import NamedTool, Settings
from companion.stages.protocols import LLM, Call, CallPart, CallsTools, Message, calls_tools
from companion.stages.streams import closing

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

log = logging.getLogger(__name__)

Asks = Callable[[list[Message], bool], AsyncIterator[str | CallPart]]

MOST_ROUNDS = 4  # of calls in one reply
PATIENCE_S = 30.0  # s that a tool may take
LONGEST_RESULT = 4000  # characters of a result
RUNNING_NOTE = "The tool is still running. Do not call it again; its result will follow."


@dataclass(frozen=True, slots=True)
class Host:
    """What a tool may do with its session: have something said after some seconds, as soon as nobody speaks, and ask
    about the progress of the lesson. ``answered`` takes the result of a tool whose reply was interrupted."""

    announce: Callable[[str, float], None]
    progress: Callable[[], AvatarProgress | None]
    answered: Callable[[Item], None]


class Toolbox:
    """One session's tools. Those of the server, ``tools``, are made when they are first needed. ``ask`` gives a reply
    for which none may be called."""

    def __init__(
        self,
        *,
        llm: LLM,
        tools: Mapping[str, Stage],
        conversation: Conversation,
        host: Host,
        ask: Callable[[Sequence[Message]], AsyncIterator[str]],
    ) -> None:
        self._llm, self._tools = llm, tools
        self._conversation, self._host, self._ask = conversation, host, ask
        self._made: dict[str, BaseTool] = {}
        self._running: set[asyncio.Task[None]] = set()

    def reply(
        self, messages: Sequence[Message], settings: Settings, names: Sequence[str], reply: Reply
    ) -> AsyncIterator[str]:
        """The deltas of a reply, for which tools may be called: the client's in ``settings``, and the server's of
        those ``names``."""
        llm, choice = self._llm, reply.wishes.tool or settings.tool_choice
        if not calls_tools(llm) or choice == "none" or not self.needed(settings, names):
            return self._ask(messages)
        own = self._own(names)
        described = [*(_describe(tool) for tool in own.values()), *map(asdict, settings.tools)]
        if isinstance(choice, NamedTool):
            described = [tool for tool in described if tool["name"] == choice.name]
        asks = partial(_ask, llm, described)
        return self._converse(asks, list(messages), own, reply, must=choice != "auto")

    def needed(self, settings: Settings, names: Sequence[str]) -> bool:
        """Whether there are tools, and a language model that may call them."""
        return calls_tools(self._llm) and (bool(settings.tools) or any(name in self._tools for name in names))

    async def _converse(
        self, asks: Asks, messages: list[Message], own: "dict[str, BaseTool]", reply: Reply, must: bool
    ) -> AsyncIterator[str]:
        for first in (True, *[False] * (MOST_ROUNDS - 1)):
            calls: dict[int, Item] = {}
            async with closing(asks(messages, must and first)) as parts:
                async for part in parts:
                    if isinstance(part, str):
                        yield part
                    else:
                        self._grow(calls, part, reply)
            for item in calls.values():
                reply.calls.end(item)
            if not calls or not all(item.call and item.call.name in own for item in calls.values()):
                return  # nothing more, or it is the client's turn
            asked = [item.call for item in calls.values() if item.call]
            running = [self._begin(call, own, reply) for call in asked]
            await asyncio.wait(running)  # a cancellation ends the wait, not the tools
            messages.append(Message("assistant", "", tuple(asked)))
            messages += [Message("tool", self._conversation.result(call.id), call_id=call.id) for call in asked]

    def _begin(self, call: Call, own: "dict[str, BaseTool]", reply: Reply) -> asyncio.Task[None]:
        """Run a tool to its end."""
        self._conversation.running[call.id] = RUNNING_NOTE
        task = asyncio.create_task(self._finish(call, own, reply), name=f"{reply.id} tool")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _finish(self, call: Call, own: "dict[str, BaseTool]", reply: Reply) -> None:
        try:
            result = await self._run(call, own)
        finally:
            del self._conversation.running[call.id]
        answered = self._host.answered if reply.over else reply.calls.answered
        answered(Item(new_id("item"), "tool", result, call_id=call.id))

    def _grow(self, calls: dict[int, Item], part: CallPart, reply: Reply) -> None:
        """More of a call that the model is writing."""
        item = calls.get(part.index)
        if item is None:
            call = Call(part.id or new_id("call"), part.name, "")
            item = calls[part.index] = Item(new_id("item"), "assistant", "", status="in_progress", call=call)
            reply.calls.begin(item)
        if part.arguments:
            reply.calls.argue(item, part.arguments)

    def _own(self, names: Sequence[str]) -> "dict[str, BaseTool]":
        known = self._tools
        for name in names:
            if name in known and name not in self._made:
                self._made[name] = load_class(known[name], f"[tools.{name}]")(self._host, **known[name].options)
        return {self._made[name].name: self._made[name] for name in names if name in self._made}

    async def _run(self, call: Call, own: "dict[str, BaseTool]") -> str:
        """The result, or what went wrong, in words for the language model."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                result = await own[call.name].ainvoke(json.loads(call.arguments or "{}"))
        except TimeoutError:
            return f"The tool took longer than {PATIENCE_S:.0f} seconds and was stopped."
        except Exception as error:  # whatever a tool raises: the model tells the user
            log.warning("the tool %s failed: %s", call.name, type(error).__name__)
            return f"The tool failed: {type(error).__name__}."
        return str(result)[:LONGEST_RESULT]


def _ask(llm: CallsTools, tools: list[Json], messages: list[Message], must: bool) -> AsyncIterator[str | CallPart]:
    """What the model says and calls; where it ``must``, it calls one of the ``tools``."""
    return llm.converse(messages, tools, required=True) if must else llm.converse(messages, tools)


def _describe(tool: "BaseTool") -> Json:
    """As OpenAI's Realtime API has it."""
    from langchain_core.utils.function_calling import convert_to_openai_function

    described: dict[str, Any] = convert_to_openai_function(tool)
    return {"type": "function", **described}
