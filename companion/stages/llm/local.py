"""A chat model that runs in this process: blocking generation in a thread, as a LangChain model that can be stopped."""

import asyncio
import threading
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from companion.stages.streams import over

ROLES = {"system": "system", "human": "user", "ai": "assistant"}
Turns = list[dict[str, str]]  # of {"role": ..., "content": ...}
OnDelta = Callable[[str], bool]  # takes the next piece of text, "" while there is none; returns True to end it all


class LocalChat(BaseChatModel):
    """Subclasses generate in `_complete`, which continues a last turn of the assistant's. Closing the stream ends the
    generation at the next token, and waits for that. ``reads_ahead``: a chat model of any class that has it has `read`
    and continues the beginning of a reply."""

    reads_ahead: ClassVar[bool] = True
    parallel: int = 1  # replies that may be generated at a time

    _pool: ThreadPoolExecutor = PrivateAttr()

    @abstractmethod
    def _complete(self, turns: Turns, stop: list[str], on_delta: OnDelta) -> None:
        """Generate until the end, or until ``on_delta`` returns True. Blocks; runs in a thread of the pool."""

    def model_post_init(self, context: Any, /) -> None:
        self._pool = ThreadPoolExecutor(self.parallel, thread_name_prefix="llm")

    async def read(self, turns: Turns) -> None:
        """Let the model read what the next replies will begin with; over when it is free for them again. A cancelled
        caller leaves as soon as the model has stopped, which keeps what it read."""
        cancelled = threading.Event()

        def enough(delta: str) -> bool:
            return bool(delta) or cancelled.is_set()

        reading = asyncio.get_running_loop().run_in_executor(self._pool, self._complete, turns, [], enough)
        try:
            await asyncio.shield(reading)
        finally:
            cancelled.set()
            await over(reading)  # what is asked of the model meanwhile would be read from the start

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text: list[str] = []
        self._complete(_turns(messages), stop or [], lambda delta: bool(text.append(delta)))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content="".join(text)))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for generation in self._generate(messages, stop).generations:
            yield ChatGenerationChunk(message=AIMessageChunk(content=generation.text))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        loop = asyncio.get_running_loop()
        deltas: asyncio.Queue[str | None] = asyncio.Queue()
        closed = threading.Event()

        def hand_over(delta: str | None) -> bool:
            if delta != "" and not closed.is_set():
                loop.call_soon_threadsafe(deltas.put_nowait, delta)
            return closed.is_set()

        def work() -> None:
            try:
                if not closed.is_set():
                    self._complete(_turns(messages), stop or [], hand_over)
            finally:
                hand_over(None)

        running = loop.run_in_executor(self._pool, work)
        try:
            yield ChatGenerationChunk(message=AIMessageChunk(content=""))  # LangChain takes no reply at all for a fault
            while (delta := await deltas.get()) is not None:
                yield ChatGenerationChunk(message=AIMessageChunk(content=delta))
            await running
        finally:
            closed.set()
            await over(running)  # for the same reason


def _turns(messages: list[BaseMessage]) -> Turns:
    return [{"role": ROLES.get(message.type, "user"), "content": message.text} for message in messages]
