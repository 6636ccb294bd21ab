"""A conversation is recorded for who agrees to it, and for nobody else: both voices, pictures, captions, signed."""

import asyncio
import errno
import os
import shutil
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from animator.__main__ import app as animate
from animator.marks.credentials import read
from animator.media.encoder import Packet, VideoEncoder
from companion.call.replay import COMPARED, compared, replayed
from companion.call.virtual_time import run
from companion.filming import log
from companion.filming.captions import Captions
from companion.filming.films import Films
from companion.filming.shoot import Shoot
from companion.filming.soundtrack import Soundtrack
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import BRISK, Conversation, Inline, engine

RATE = 24_000


def filmed(folder: Path, **changes):
    return engine(films=Films(folder, Inline()), turns=BRISK, encoder=VideoEncoder, **changes)


def agree(talk: Conversation, consent: bool | None) -> None:
    talk.send(events.SessionUpdate({"recording": None if consent is None else {"consent": consent}}))


async def exchange(talk: Conversation, count: int = 1) -> None:
    await talk.hear(0.8)
    await talk.silence(0.8)
    await talk.until(events.ResponseDone, count)
    await asyncio.sleep(0.5)


def films(folder: Path) -> list[Path]:
    return list(folder.glob("*.mp4"))


def track(path: Path, number: int) -> np.ndarray:
    with av.open(path) as file:
        return np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=number)])


def loud(sound: np.ndarray) -> tuple[float, float]:
    """From when to when there is sound, s."""
    places = np.flatnonzero(np.abs(sound) > 0.02)
    return places[0] / 48_000, places[-1] / 48_000


def test_both_voices_pictures_and_captions(tmp_path: Path):
    async def script() -> Conversation:
        async with Conversation(filmed(tmp_path), avatar=True) as talk:
            agree(talk, True)
            await exchange(talk)
        return talk

    talk = run(script())
    (film,), (captions,) = tmp_path.glob("*.mp4"), tmp_path.glob("*.vtt")
    face, user = loud(track(film, 0)), loud(track(film, 1))
    begun = talk.at(events.SessionUpdated, 1)
    heard = [at - begun for at, event in talk.log if isinstance(event, events.AudioDelta)]
    assert user == pytest.approx((0.0, 0.8), abs=0.15)
    assert face == pytest.approx((heard[0], heard[-1] + 0.04), abs=0.15)
    with av.open(film) as file:
        pictures = [frame.time for frame in file.decode(video=0)]
    assert len(pictures) == pytest.approx(len(track(film, 0)) / 48_000 * 25, abs=4)
    assert np.diff(pictures)[1:] == pytest.approx(0.04, abs=0.002)
    statement = read(film)
    assert (statement.state, [title for title, _ in statement.ingredients]) == ("known signer", ["portrait"])
    text = captions.read_text()
    assert text.startswith("WEBVTT\n\n")
    assert f"<v User>{talk.all(events.TranscriptionCompleted)[0].transcript}" in text
    said = talk.all(events.AudioTranscriptDone)[0].transcript
    assert "".join(part.partition(">")[2] for part in text.splitlines() if "<v Face>" in part).split() == said.split()


def test_a_recording_without_a_face_says_what_it_is(tmp_path: Path):
    async def script() -> None:
        async with Conversation(filmed(tmp_path)) as talk:
            agree(talk, True)
            await talk.hear(0.4)

    run(script())
    (film,) = films(tmp_path)
    said = CliRunner().invoke(animate, ["inspect", str(film)])
    assert said.exit_code == 0
    assert "as it was signed, by this installation" in said.output


def test_nothing_is_recorded_without_consent(tmp_path: Path):
    async def script() -> Conversation:
        async with Conversation(filmed(tmp_path), avatar=True) as talk:
            agree(talk, False)
            await exchange(talk)
            talk.send(events.SessionUpdate({"recording": {}}))
            await exchange(talk, 2)
        return talk

    assert not run(script()).all(events.Error)
    assert not list(tmp_path.iterdir())


def test_a_server_that_keeps_none_says_so():
    async def script() -> Conversation:
        async with Conversation(engine()) as talk:
            agree(talk, True)
            await asyncio.sleep(0.1)
        return talk

    (error,) = run(script()).all(events.Error)
    assert (error.error.code, error.error.param) == ("unsupported", "session.recording")


def test_it_ends_when_the_user_says_so_and_nothing_stays_of_who_withdraws(tmp_path: Path):
    async def script(last: bool | None) -> None:
        async with Conversation(filmed(tmp_path)) as talk:
            agree(talk, True)
            await exchange(talk)
            agree(talk, None)
            await exchange(talk, 2)
            (film,) = films(tmp_path)
            assert not film.name.endswith(".growing.mp4")
            assert len(track(film, 1)) / 48_000 < talk.at(events.ResponseDone, 0) + 1
            agree(talk, True)
            await exchange(talk, 3)
            agree(talk, last)

    run(script(None))
    assert len(films(tmp_path)) == len(list(tmp_path.glob("*.vtt"))) == 2
    for path in tmp_path.iterdir():
        path.unlink()
    run(script(False))
    assert not list(tmp_path.iterdir())


def test_what_was_written_survives_a_crash_and_gets_its_name_later(tmp_path: Path):
    folder, killed = tmp_path / "films", tmp_path / "killed"
    killed.mkdir()

    async def script() -> None:
        async with Conversation(filmed(folder), avatar=True) as talk:
            agree(talk, True)
            await talk.hear(6.0)
            (growing,) = films(folder)
            shutil.copy(growing, killed)

    run(script())
    (left,) = killed.iterdir()
    assert len(track(left, 1)) / 48_000 > 3
    Films(killed, Inline()).mend()
    assert list(killed.iterdir()) == [left]  # somebody may still write to it
    os.utime(left, (0, 0))
    Films(killed, Inline()).mend()
    (film,) = killed.iterdir()
    assert (film.name, read(film).state) == (left.name.replace(".growing", ""), "known signer")
    assert len(track(film, 1)) / 48_000 > 3


class Full(Inline):
    """A disk that is full from the ``last`` write on."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.left = last

    async def run(self, work, *args):
        self.left -= work.__name__ == "write"
        if self.left <= 0 and work.__name__ == "write":
            raise OSError(errno.ENOSPC, "No space left on device")
        return await super().run(work, *args)


def test_a_full_disk_ends_the_recording_and_not_the_conversation(tmp_path: Path):
    async def script() -> Conversation:
        made = engine(films=Films(tmp_path, Full(8)), turns=BRISK, encoder=VideoEncoder)
        async with Conversation(made, avatar=True) as talk:
            agree(talk, True)
            await talk.silence(6.0)
            await exchange(talk)
        return talk

    talk = run(script())
    assert [error.error.code for error in talk.all(events.Error)] == ["recording_failed"]
    assert talk.all(events.ResponseDone)[0].response["status"] == "completed"
    (film,) = tmp_path.glob("*.mp4")
    assert read(film).state == "known signer"
    assert 2 < len(track(film, 0)) / 48_000 < 5


def test_a_soundtrack_has_no_gaps_and_does_not_change_what_was_taken():
    sound = Soundtrack(start=100)
    sound.put(110, np.full(5, 0.5, np.float32))
    assert sound.take(112).tolist() == [0.0] * 10 + [0.5] * 2
    sound.put(105, np.full(10, 0.25, np.float32))  # late: its first seven samples were taken as silence
    assert sound.take(117).tolist() == [0.25] * 3 + [0.0] * 2
    assert sound.take(117).size == 0


def test_a_face_that_is_seen_a_moment_after_the_recording_begins_is_in_its_one_file():
    class Kept:
        users: ClassVar = {"ada"}

        def write(self, stretch: object, captions: object) -> None: ...

    class Files:
        device: ClassVar = Inline()
        begun: ClassVar = []

        def begin(self, name: str, picture: Packet | None) -> Kept:
            self.begun.append((name, picture))
            return Kept()

        def finish(self, film: Kept, made_of: object) -> None: ...

    async def script():
        now = asyncio.get_running_loop().time
        shoot = Shoot(Files(), "one", lambda: int(now() * RATE), lambda: "ada", list)
        running = asyncio.create_task(shoot.run())
        await asyncio.sleep(0.6)
        for number in range(50):
            shoot.note(events.VideoDelta(b"", "h264", "", 600.0 + 40 * number, 40.0, number == 0, 16, 16, None))
            await asyncio.sleep(0.04)
        shoot.stop()
        await running
        return Files.begun

    ((name, picture),) = run(script())
    assert name == "one-1"
    assert picture and picture.keyframe


def test_captions_of_a_face_that_was_interrupted_say_what_was_heard():
    captions, ids = Captions(), ("resp", "item")
    captions.note(events.AudioTranscriptDelta(*ids, "I <like> tea & rain."), 900)
    for word in ("I", "<like>"):
        captions.note(events.AudioTimestampDelta(*ids, word, 0, 100), 900)
    captions.note(events.AudioDelta(*ids, bytes(48_000), 1000.0), 1000)
    captions.note(events.ResponseDone({"status": "cancelled"}), 2000)
    captions.note(events.ItemAdded({"role": "user", "content": [{"type": "input_text", "text": "Stop."}]}, None), 500)
    assert captions.text(since=400).split("\n\n") == [
        "WEBVTT",
        "00:00:00.100 --> 00:00:03.100\n<v User>Stop.",
        "00:00:00.600 --> 00:00:01.600\n<v Face>I &lt;like&gt;\n",
    ]


def test_a_log_is_replayed_as_it_was(tmp_path: Path):
    async def script() -> None:
        texts, replies = ["Hello.", "And then?"], ["Nice to see you. " * 8, "That was all.", "Typed."]
        made = filmed(tmp_path, asr=fakes.ScriptedASR(texts), llm=fakes.ScriptedLLM(replies))
        async with Conversation(made) as talk:
            talk.send(events.SessionUpdate({"recording": {"consent": True, "log": True}}))
            await talk.hear(0.8)
            await talk.silence(2.0)
            await talk.hear(1.6)  # while it speaks
            await talk.silence(1.0)
            await talk.until(events.ResponseDone, 2)
            await asyncio.sleep(0.5)
            talk.ask("What now?")
            await talk.until(events.ResponseDone, 3)
            await asyncio.sleep(1.0)

    run(script())
    (path,) = tmp_path.glob("*.jsonl")
    logged = log.read(path)
    now = replayed(logged, BRISK)
    found = compared(logged.sent, now)
    assert found["same"]

    def times(sent: list[tuple[float, dict]]) -> list[float]:
        return [at for at, event in sent if event["type"] in COMPARED]

    assert times(now) == pytest.approx(times(logged.sent), abs=0.15)
    assert found["replay"]["response.done"] == 3
    statuses = [event["response"]["status"] for _, event in now if event["type"] == "response.done"]
    assert statuses == ["cancelled", "completed", "completed"]
    assert not compared(logged.sent[: len(logged.sent) // 2], now)["same"]
    path.write_text(path.read_text()[:-30])
    assert len(log.read(path).sent) + len(log.read(path).got) == len(logged.sent) + len(logged.got) - 1
    path.write_text("{}\n")
    with pytest.raises(log.LogError, match="no log"):
        log.read(path)


def test_a_recording_belongs_to_its_user_and_is_gone_with_everything_else(tmp_path: Path):
    async def script() -> Conversation:
        made = filmed(tmp_path)
        async with Conversation(made) as talk:
            talk.send(
                events.SessionUpdate({"recording": {"consent": True}, "memory": {"user": "anna", "consent": False}})
            )
            await exchange(talk)
            agree(talk, None)
            await talk.silence(1.0)
            (kept,) = made.films.of("anna")
            assert kept.files == ("mp4", "vtt") and made.films.of("bob") == []
            assert "<v User>" in made.films.file("anna", kept.id, "vtt").read_text()
            assert made.films.file("bob", kept.id, "mp4") is None and made.films.file("anna", "../x", "mp4") is None
            agree(talk, True)
            await exchange(talk, 2)
            assert made.films.forget("bob") == 0 and made.films.forget("anna") == 2
            await exchange(talk, 3)
        return talk

    talk = run(script())
    assert not list(tmp_path.iterdir()), "not even what was being made"
    assert [error.error.code for error in talk.all(events.Error)] == ["recording_deleted"]
    assert talk.all(events.SessionUpdated)[-1].session["recording"] is None
