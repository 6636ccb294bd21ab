"""Stages as deployments of Ray Serve on this machine: the same Protocols, cancelled where they run, and a replica may
die in the middle of a sentence."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.errors import StageError
from companion.stages.protocols import Abilities, Message, Speech, Transcript

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("ray")
HERE = "tests.stages.test_replicas"


class Voice:
    """A sentence in ten pieces of 0.1 s, the nth of which is n everywhere; ``folder`` notes who speaks and who is
    stopped."""

    abilities = Abilities(voices=("low", "high"), voice="low")

    def __init__(self, folder: str, add: float = 0.0) -> None:
        self._folder, self._add = Path(folder), add

    def with_voice(self, voice: str) -> "Voice":
        return Voice(str(self._folder), 100.0 * (voice == "high"))

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        if text == "broken":
            raise StageError("tts_odd", "It is odd.")
        (self._folder / f"{os.getpid()}").write_text("")
        try:
            for n in range(10):
                yield Speech(np.full(2400, n + self._add, np.float32))
                await asyncio.sleep(0.05)
        except (asyncio.CancelledError, GeneratorExit):
            (self._folder / "stopped").write_text(str(time.time()))
            raise


class Ears:
    abilities = Abilities(languages=("en", "de"))

    def __init__(self, language: str = "en") -> None:
        self._language = language

    def in_language(self, language: str) -> "Ears":
        return Ears(language)

    async def transcribe(self, audio: Any) -> Transcript:
        return Transcript(f"{len(audio)} samples", self._language)


class Mind:
    abilities = Abilities(continues=True)

    async def reply(self, messages: Any) -> AsyncIterator[str]:
        begun = messages[-1].content if messages[-1].role == "assistant" else ""
        for word in ["one", "two", "three", "four", "five"][len(begun.split()) :]:
            yield f"{word} "
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """Two replicas, made as a server makes them: in a thread that ends, which the cluster outlives."""
    import ray
    from ray import serve

    from companion.stages.replicas import TTSReplicas

    folder = tmp_path_factory.mktemp("voice")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setenv("PYTHONPATH", str(Path.cwd()))
        patch.setenv("PYTHONWARNINGS", "ignore")
        tts = pool.submit(TTSReplicas, f"{HERE}:Voice", replicas=2, cpus=0.5, folder=str(folder)).result()
    yield tts, folder
    serve.shutdown()
    ray.shutdown()


async def spoken(pieces: AsyncIterator[Speech]) -> list[float]:
    return [float(n) for piece in [piece async for piece in pieces] for n in piece.audio[::2400]]


async def test_it_is_the_same_voice_elsewhere(voice: tuple[Any, Path]) -> None:
    tts, _ = voice
    assert tts.abilities == Voice.abilities
    assert await spoken(tts.speak("Hello.")) == list(range(10))
    assert await spoken(tts.with_voice("high").speak("Hello.")) == list(range(100, 110))
    with pytest.raises(StageError) as told:
        await spoken(tts.speak("broken"))
    assert told.value.code == "tts_odd"


async def test_who_stops_listening_stops_the_voice(voice: tuple[Any, Path]) -> None:
    tts, folder = voice
    (folder / "stopped").unlink(missing_ok=True)
    async with aclosing(tts.speak("Hello.")) as pieces:
        async for _ in pieces:
            break
        closed = time.time()
    for _ in range(100):
        if (folder / "stopped").exists():
            break
        await asyncio.sleep(0.02)
    late = float((folder / "stopped").read_text()) - closed
    assert late < 1.0, "6 ms where it was measured"


async def test_a_sentence_whose_replica_is_killed_is_said_to_its_end(voice: tuple[Any, Path]) -> None:
    tts, folder = voice
    for note in folder.iterdir():
        note.unlink()
    said, killed = list[float](), False
    async for piece in tts.speak("Hello."):
        said += [float(n) for n in piece.audio[::2400]]
        if len(said) == 3 and not killed:
            (pid,) = [int(note.name) for note in folder.iterdir() if note.name.isdigit()]
            os.kill(pid, signal.SIGKILL)
            killed = True
    assert killed and said == list(range(10))


async def test_ears_and_minds_are_the_same_elsewhere(voice: tuple[Any, Path]) -> None:
    from companion.stages.replicas import ASRReplicas, LLMReplicas

    asr = await asyncio.to_thread(ASRReplicas, f"{HERE}:Ears", cpus=0.5)
    llm = await asyncio.to_thread(LLMReplicas, f"{HERE}:Mind", cpus=0.5)
    heard = await asr.in_language("de").transcribe(np.zeros(1600, np.float32))
    assert heard == Transcript("1600 samples", "de")
    deltas = [delta async for delta in llm.reply([Message("user", "Count.")])]
    assert deltas == ["one ", "two ", "three ", "four ", "five "]
