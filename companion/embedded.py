"""The embedded language model: SmolLM2-135M-Instruct on llama.cpp, as an ordinary LangChain chat model."""

import asyncio
import functools
import importlib
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from companion import models
from companion.stages import StageError

ROLES = {"system": "system", "human": "user", "ai": "assistant"}
CHARACTERS_PER_TOKEN = 3  # English has 4 to 5; fewer leaves room for other text


class Embedded(BaseChatModel):
    """A GGUF model in this process, through ``xllamacpp``; without ``path`` the embedded SmolLM2.

    Closing the stream stops the generation at the next token. The prompt that sessions have in common is computed once.
    The sampling is what makes so small a model usable: little randomness, and repetition made costly.
    """

    path: str = ""
    threads: int = max(1, (os.cpu_count() or 2) // 2)  # with a thread on every core, a face that draws would stall it
    context: int = 2048  # tokens of one conversation; more would take too long to read
    parallel: int = 2  # conversations that may generate at a time
    temperature: float = 0.3
    max_tokens: int = 70
    repeat_penalty: float = 1.12
    dry_multiplier: float = 0.8

    _server: Any = PrivateAttr()
    _pool: ThreadPoolExecutor = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        path = self.path or str(models.resolve("smollm2-135m"))
        self._server = _server(path, self.threads, self.context, self.parallel)
        self._pool = ThreadPoolExecutor(self.parallel, thread_name_prefix="llm")

    @property
    def _llm_type(self) -> str:
        return "embedded"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text: list[str] = []
        self._run(self._request(messages, stop), lambda delta: bool(text.append(delta)))
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

        def on_delta(delta: str) -> bool:
            if not closed.is_set():
                loop.call_soon_threadsafe(deltas.put_nowait, delta)
            return closed.is_set()

        def work() -> None:
            try:
                if not closed.is_set():
                    self._run(self._request(messages, stop), on_delta)
            finally:
                if not closed.is_set():
                    loop.call_soon_threadsafe(deltas.put_nowait, None)

        running = loop.run_in_executor(self._pool, work)
        try:
            while (delta := await deltas.get()) is not None:
                yield ChatGenerationChunk(message=AIMessageChunk(content=delta))
            await running
        finally:
            closed.set()

    def _request(self, messages: list[BaseMessage], stop: list[str] | None) -> dict[str, Any]:
        turns = [{"role": ROLES.get(message.type, "user"), "content": message.text} for message in messages]
        return {
            "messages": _within(turns, (self.context - self.max_tokens) * CHARACTERS_PER_TOKEN),
            "stream": True,
            "stop": stop or [],
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "repeat_penalty": self.repeat_penalty,
            "dry_multiplier": self.dry_multiplier,
        }

    def _run(self, request: dict[str, Any], on_delta: Callable[[str], bool]) -> None:
        """Generate until the end, or until ``on_delta`` returns True. Blocks, without holding the GIL."""
        problem = ""

        def on_chunk(chunk: dict[str, Any]) -> bool:
            nonlocal problem
            if "error" in chunk:
                problem = str(chunk["error"].get("message", chunk["error"]))
                return True
            delta = chunk["choices"][0]["delta"].get("content")
            return on_delta(delta) if delta else False

        self._server.handle_chat_completions(request, on_chunk)
        if problem:
            raise StageError("llm_failed", f"The embedded language model refused the request: {problem}")


def _within(turns: list[dict[str, str]], characters: int) -> list[dict[str, str]]:
    """What fits into the context: the oldest turns after the first message go, then the end of the longest."""
    kept = list(turns)
    while len(kept) > 2 and sum(len(turn["content"]) for turn in kept) > characters:
        del kept[1]
    share = max(1, characters // max(1, len(kept)))
    if sum(len(turn["content"]) for turn in kept) > characters:
        kept = [turn | {"content": turn["content"][:share]} for turn in kept]
    return kept


@functools.cache
def _server(path: str, threads: int, context: int, parallel: int) -> Any:
    """One copy of the weights per process and setting, warm."""
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx, params.n_parallel = context * parallel, parallel
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = threads
    params.slot_prompt_similarity = 0.01  # the same persona is enough to go on from another conversation's prompt
    params.n_cache_reuse = 16  # tokens; what is still said after old messages were dropped is not computed again
    params.cache_ram_mib = 128  # prompts of idle conversations; the library's default is 8 GiB
    params.api_keys = [secrets.token_hex(32)]  # the library opens a port on loopback, which nobody here uses
    params.verbosity = -1
    params.warmup = True
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise StageError("llm_model", f"The language model {path} cannot be loaded: {error}") from error
