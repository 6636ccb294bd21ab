"""Stages that run as deployments of Ray Serve, in several processes on this machine or a cluster.

A configuration names one of the classes below in place of the stage, and the stage itself as ``of``. They have the
stage's Protocol; closing a stream also closes it in the replica. Needs the extra ``ray``.
"""

import copy
import threading
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

from companion.config import Stage, load_class
from companion.errors import StageError
from companion.models.needs import Needs
from companion.stages.protocols import Abilities, CallPart, Message, Samples, Speech, Transcript, abilities
from companion.stages.worker import one_thread

TRIES = 3  # attempts, each at another replica, before a call fails
AT_ONCE = 8  # concurrent calls to one replica
Told = tuple[tuple[str, tuple[Any, ...]], ...]  # (method, arguments) that select a voice or a language, in order

_starting = threading.Lock()  # a server builds its stages in parallel, but Ray must start once
_starter = one_thread("ray")  # Ray ends its processes with the thread that started them; this one lives on


class GoneError(Exception):
    """The replica died during a call."""


class Replica:
    """The deployed class: one copy of the stage ``of``, made with ``options``, in a process of its own."""

    def __init__(self, of: str, options: Mapping[str, Any]) -> None:
        self._stage: Any = load_class(Stage(of, dict(options)), of)(**options)

    def abilities(self) -> Abilities:
        """The abilities of the stage."""
        return abilities(self._stage)

    async def once(self, told: Told, method: str, *given: Any) -> Any:
        """Call a method of the stage and return its result."""
        return await getattr(self._as(told), method)(*given)

    async def stream(self, told: Told, method: str, *given: Any) -> AsyncGenerator[Any]:
        """Call a method of the stage and yield its items."""
        items = getattr(self._as(told), method)(*given)
        try:
            async for item in items:
                yield item
        finally:
            await items.aclose()

    def _as(self, told: Told) -> Any:
        stage = self._stage
        for method, given in told:
            stage = getattr(stage, method)(*given)
        return stage


class _Replicas:
    """A client of the deployment ``name``. One that already runs is used as it is.

    Args:
        of: the stage's import string.
        replicas: number of processes.
        cpus: cores that Ray reserves for each.
        address: of the cluster; "": the one running on this machine, which is started if there is none.
        options: those of the stage.

    Raises:
        StageError: ``replicas_missing_extra`` or ``replicas_failed``.
    """

    name = ""
    needs = Needs(within="of")

    def __init__(self, of: str, replicas: int = 1, cpus: float = 1.0, address: str = "", **options: Any) -> None:
        with _starting:
            _starter.submit(_connect, address).result()
            self._handle: Any = _deployed(self.name, (of, options), replicas, cpus)
        can: Abilities = self._handle.abilities.remote().result()
        # One replica's prompt cache is of no use to the next call, which may go to another; each closes its own stage.
        self.abilities = replace(can, prepares=False, closes=False)
        self._told: Told = ()

    def _telling(self, method: str, *given: Any) -> Self:
        other = copy.copy(self)
        other._told = (*self._told, (method, given))
        return other

    async def _once(self, method: str, *given: Any) -> Any:
        """Raises StageError: the stage's own, or ``NAME_failed`` if `TRIES` replicas died one after the other."""
        for _ in range(TRIES):
            try:
                with _understood(self.name):
                    return await self._handle.once.remote(self._told, method, *given)
            except GoneError:
                continue
        raise self._lost()

    async def _stream(self, method: str, *given: Any) -> AsyncGenerator[Any]:
        """Yield the items of a method of the stage; closing it cancels the stream in the replica. Raises StageError,
        and GoneError if the replica dies."""
        items = self._handle.stream.options(stream=True).remote(self._told, method, *given)
        try:
            with _understood(self.name):
                async for item in items:
                    yield item
        finally:
            items.cancel()

    def _lost(self) -> StageError:
        return StageError(f"{self.name}_failed", f"{TRIES} replicas of the stage {self.name} died one after the other.")


class ASRReplicas(_Replicas):
    """An ASR in replicas. If one dies, another transcribes the utterance."""

    name = "asr"

    def in_language(self, language: str) -> Self:
        """As `companion.stages.protocols.Multilingual.in_language`."""
        return self._telling("in_language", language)

    def expecting(self, words: str, spelt: bool) -> Self:
        """As `companion.stages.protocols.Expects.expecting`."""
        return self._telling("expecting", words, spelt)

    async def transcribe(self, audio: Samples) -> Transcript:
        """As `companion.stages.protocols.ASR.transcribe`; StageError ``asr_failed`` if the replicas die."""
        return await self._once("transcribe", audio)


class LLMReplicas(_Replicas):
    """An LLM in replicas. If one dies during a reply, another continues it, provided the model ``continues``."""

    name = "llm"

    async def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str]:
        """As `companion.stages.protocols.LLM.reply`; StageError ``llm_failed`` if the replicas die."""
        said = ""
        for _ in range(TRIES):
            so_far = [Message("assistant", said)] if said else []
            try:
                async for delta in self._stream("reply", [*messages, *so_far]):
                    said += delta
                    yield delta
                return
            except GoneError:
                if said and not self.abilities.continues:
                    break
        raise self._lost()

    async def converse(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], required: bool = False
    ) -> AsyncGenerator[str | CallPart]:
        """As `companion.stages.protocols.CallsTools.converse`. If the replica dies after the first item, it fails."""
        begun = False
        for _ in range(TRIES):
            try:
                async for part in self._stream("converse", messages, tools, required):
                    begun = True
                    yield part
                return
            except GoneError:
                if begun:  # a call must not be made twice
                    break
        raise self._lost()


class TTSReplicas(_Replicas):
    """A TTS in replicas. If one dies within a sentence, another synthesizes the rest."""

    name = "tts"

    def with_voice(self, voice: str) -> Self:
        """As `companion.stages.protocols.HasVoices.with_voice`."""
        return self._telling("with_voice", voice)

    def pronouncing(self, words: Mapping[str, str]) -> Self:
        """As `companion.stages.protocols.Pronounces.pronouncing`; its errors are raised by `speak`."""
        return self._telling("pronouncing", dict(words))

    def in_language(self, language: str) -> Self:
        """As `companion.stages.protocols.Switches.in_language`."""
        return self._telling("in_language", language)

    def at_pace(self, speed: float) -> Self:
        """As `companion.stages.protocols.Paced.at_pace`."""
        return self._telling("at_pace", speed)

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncGenerator[Speech]:
        """As `companion.stages.protocols.TTS.speak`; StageError ``tts_failed`` if the replicas die."""
        given = 0  # samples
        for _ in range(TRIES):
            skipped = 0
            try:
                async for piece in self._stream("speak", text, emotion):
                    rest = piece.audio[max(0, given - skipped) :]
                    skipped += len(piece.audio)
                    if len(rest) == len(piece.audio):
                        yield piece
                    elif len(rest):
                        yield Speech(rest)
                    given = max(given, skipped)
                return
            except GoneError:
                continue
        raise self._lost()


def _connect(address: str) -> None:
    try:
        import ray  # pyright: ignore[reportMissingImports]
        from ray import serve  # noqa: F401  # pyright: ignore[reportMissingImports, reportUnusedImport]
    except ImportError as error:
        message = f'Ray cannot be imported ({error}). Run: pip install "vasari[ray]"'
        raise StageError("replicas_missing_extra", message) from error
    if not ray.is_initialized():
        try:
            ray.init(address=address or None, namespace="vasari", log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise StageError("replicas_failed", f"The cluster at {address or 'this machine'}: {error}") from error


def _deployed(name: str, stage: tuple[str, dict[str, Any]], replicas: int, cpus: float) -> Any:
    """The handle of the Serve application ``name``, which is started unless it runs already."""
    from ray import serve  # pyright: ignore[reportMissingImports]

    if name in serve.status().applications:
        return serve.get_app_handle(name)
    try:
        made: Any = serve.deployment(Replica, name=name).options(
            num_replicas=replicas,
            max_ongoing_requests=AT_ONCE,
            ray_actor_options={"num_cpus": cpus},
            health_check_period_s=1.0,
        )
        return serve.run(made.bind(*stage), name=name, route_prefix=None)
    except RuntimeError as error:  # raised by Serve when a deployment has failed several times
        raise StageError("replicas_failed", f"The replicas of the stage {name} cannot be started: {error}") from error


@contextmanager
def _understood(name: str) -> Generator[None]:
    """Translate errors: what the stage raised in its replica becomes StageError, the replica's death GoneError."""
    from ray.exceptions import RayActorError, RayTaskError, WorkerCrashedError  # pyright: ignore[reportMissingImports]
    from ray.serve.exceptions import RayServeException  # pyright: ignore[reportMissingImports]

    try:
        yield
    except RayTaskError as error:
        cause = error.cause
        raise (
            cause if isinstance(cause, StageError) else StageError(f"{name}_failed", f"The stage {name} failed.")
        ) from error
    except (RayActorError, WorkerCrashedError, RayServeException) as error:
        raise GoneError from error
