"""Base class of chat models in this process: blocking generation in a thread, as a stoppable LangChain model."""

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
from companion.stages.worker import model_threads

ROLES = {"system": "system", "human": "user", "ai": "assistant"}
Turns = list[dict[str, str]]  # of {"role": ..., "content": ...}
OnDelta = Callable[[str], bool]  # takes the next delta of text, "" if none is ready; True stops the generation


class LocalChat(BaseChatModel):
    """Subclasses generate in `_complete`, which must continue the last turn if that is the assistant's.

    Closing the stream stops the generation at the next token and waits for that. ``reads_ahead`` marks a chat model,
    of any class, that has `read` and continues a reply that has begun.
    """

    reads_ahead: ClassVar[bool] = True
    parallel: int = 1  # replies that may be generated at a time

    _pool: ThreadPoolExecutor = PrivateAttr()

    @abstractmethod
    def _complete(self, turns: Turns, stop: list[str], on_delta: OnDelta) -> None:
        """Generate until the end, a string of ``stop``, or ``on_delta`` returns True. Blocks; runs in the pool."""

    def model_post_init(self, context: Any, /) -> None:
        self._pool = model_threads("llm", self.parallel)

    async def read(self, turns: Turns) -> None:
        """Fill the prompt cache with ``turns``, the common prefix of the next prompts; returns when the model is free
        again. If the caller is cancelled, the model stops first; what it has processed stays in the cache."""
        cancelled = threading.Event()

        def enough(delta: str) -> bool:
            return bool(delta) or cancelled.is_set()

        reading = asyncio.get_running_loop().run_in_executor(self._pool, self._complete, turns, [], enough)
        try:
            await asyncio.shield(reading)
        finally:
            cancelled.set()
            await over(reading)  # a request in the meantime could not use the cache

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
            yield ChatGenerationChunk(message=AIMessageChunk(content=""))  # LangChain raises if a stream yields nothing
            while (delta := await deltas.get()) is not None:
                yield ChatGenerationChunk(message=AIMessageChunk(content=delta))
            await running
        finally:
            closed.set()
            await over(running)  # as in `read`


def _turns(messages: list[BaseMessage]) -> Turns:
    return [{"role": ROLES.get(message.type, "user"), "content": message.text} for message in messages]
