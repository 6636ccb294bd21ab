"""The embedded language models: llama.cpp as an ordinary LangChain chat model."""

import functools
import importlib
import secrets
from pathlib import Path
from typing import Any, ClassVar

from pydantic import PrivateAttr

from companion import frontmatter, resources
from companion.errors import StageError
from companion.models import adapter as adapters
from companion.models import automatic, locate
from companion.models.manifest import LANGUAGE_MODEL, MODELS
from companion.models.needs import Needs
from companion.stages.llm.local import LocalChat, OnDelta, Turns
from companion.stages.worker import MODEL_THREADS

CHOICES = {name: name for name, model in MODELS.items() if model.job.startswith("language model")}
BATCH = 64  # tokens of the prompt per step; the generation can be stopped only between steps
TOO_LONG = "exceeds the available context size"  # in the library's error for a prompt that is too long
LEAST_TEXT = 100  # characters of prompt below which it is not shortened further
CHARACTERS_PER_TOKEN = 3  # English has 4 to 5; the margin is for other text


class Embedded(LocalChat):
    """A GGUF model in this process, through ``xllamacpp``: ``model`` of the manifest, or the file ``path``. The model
    "auto" is the one that ``companion setup`` chose for this machine.

    The common prefix of all prompts is computed once. The sampling makes so small a model usable: a low temperature,
    and the tokens of help-desk phrases (``prompts/unlikely.md``) banned.

    Raises:
        StageError: ``model_missing``, ``model_corrupt`` or ``llm_model``.
    """

    needs: ClassVar[Needs] = Needs(option="model", choices=CHOICES, all=True, unless="path", automatic=automatic.chosen)

    model: str = LANGUAGE_MODEL
    path: str = ""
    adapter: str = ""  # a LoRA adapter for that model: a file of companion.learn.train_words
    threads: int = MODEL_THREADS
    context: int = 2048  # tokens of prompt and reply; a longer prompt would take too long to process
    parallel: int = 2  # replies that may be generated at a time
    temperature: float = 0.3
    enough: int = 18  # tokens after which a reply ends at the next end of a sentence
    max_tokens: int = 70  # tokens after which it ends in any case
    repeat_penalty: float = 1.05  # a higher one would keep the user's own words out of the reply

    _server: Any = PrivateAttr()
    _unlikely: tuple[str, ...] = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        name = automatic.chosen() if self.model == automatic.AUTO else self.model
        path = self.path or str(locate.resolve(name))
        head, _ = frontmatter.read(resources.folder("prompts") / "unlikely.md")
        self._unlikely = tuple(head["words"])
        adapter = str(adapters.ready(Path(self.adapter))) if self.adapter else ""
        self._server = _server(path, adapter, self.threads, self.context, self.parallel)

    @property
    def server(self) -> Any:
        """The ``xllamacpp.Server``, shared by all instances with the same settings."""
        return self._server

    @property
    def _llm_type(self) -> str:
        return "embedded"

    def _complete(self, turns: Turns, stop: list[str], on_delta: OnDelta) -> None:
        room = (self.context - self.max_tokens) * CHARACTERS_PER_TOKEN
        problem = self._answer(_within(turns, room), stop, on_delta)
        while problem and TOO_LONG in problem and room > LEAST_TEXT:
            room //= 2  # some scripts and emoji take more tokens a character
            problem = self._answer(_within(turns, room), stop, on_delta)
        if problem:
            raise StageError("llm_failed", f"The embedded language model refused the request: {problem}")

    def _answer(self, turns: Turns, stop: list[str], on_delta: OnDelta) -> str:
        """Stream the model's reply to ``on_delta`` -> the error message of the library, "" if there was none."""
        problem, tokens = "", 0

        def on_chunk(chunk: dict[str, Any]) -> bool:
            nonlocal problem, tokens
            if "error" in chunk:
                problem = str(chunk["error"].get("message", chunk["error"]))
                return True
            delta = chunk["choices"][0]["delta"].get("content")
            if not delta:
                return on_delta("")
            tokens += 1
            return on_delta(delta) or tokens >= self.enough and delta.rstrip().endswith((".", "!", "?"))

        request = {
            "messages": turns,
            "stream": True,
            "stop": [*stop, "```", "\n"],  # neither code nor a list can be spoken
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "repeat_penalty": self.repeat_penalty,
            "logit_bias": [[word, False] for word in self._unlikely],
            "return_progress": True,  # calls on_chunk while the prompt is processed, so that it can be stopped
        }
        self._server.handle_chat_completions(request, on_chunk)  # does not hold the GIL
        return problem


def _within(turns: Turns, characters: int) -> Turns:
    """Shorten ``turns`` to so many ``characters``: drop the oldest after the first (the system prompt), then truncate
    each of the last two."""
    kept = list(turns)
    while len(kept) > 2 and sum(len(turn["content"]) for turn in kept) > characters:
        del kept[1]
    if sum(len(turn["content"]) for turn in kept) > characters:
        share = characters // len(kept)
        kept = [turn | {"content": turn["content"][:share]} for turn in kept]
    return kept


@functools.cache
def _server(path: str, adapter: str, threads: int, context: int, parallel: int) -> Any:
    """A warmed-up server; one copy of the weights per process and settings."""
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(adapter, 1.0)] if adapter else []
    params.n_ctx, params.n_parallel = context * parallel, parallel
    params.n_batch = params.n_ubatch = BATCH
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = threads
    params.slot_prompt_similarity = 0.01  # the same persona suffices to reuse another conversation's prompt cache
    params.n_cache_reuse = 16  # tokens; reuses the cache of later messages when older ones were dropped
    params.cache_ram_mib = 64  # prompts of idle conversations; the library's default is 8 GiB
    params.api_keys = [secrets.token_hex(32)]  # the library opens an unused port on loopback: locked
    params.verbosity = -1
    params.warmup = True
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise StageError("llm_model", f"The language model {path} cannot be loaded: {error}") from error
