"""Where the operator wants to see who is shown, a face is used once its person has said a sentence to the camera."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from animator.evaluate.presence import Presence
from animator.media.files import MediaError
from companion.avatar.faces import liveness
from companion.avatar.faces.consent import Consents, Faces
from companion.avatar.faces.liveness import PATIENCE_S, Liveness, said_share
from companion.avatar.portraits import PictureError, Upload
from companion.stages.fakes import ScriptedASR
from tests.server.loopback import receive, running, send
from tests.server.test_consent import POLICY
from tests.server.test_server import picture

SAY = "Green birds paint warm bread at midnight."
WORDS = replace(POLICY.sentences, parts=(("Green birds",), ("paint",), ("warm bread",), ("at midnight",)))
ASKED = replace(POLICY, present=("self",), sentences=WORDS)
THERE = Presence(seen=1.0, moved=0.1, sync=0.7, shape=0.1, identity=0.7, sound=np.full(24_000, 0.1, np.float32))
UPLOAD = Upload("upload_1", landmarks={"width": 64, "height": 64, "points": {"nose": [32.0, 40.0]}})


def checks(found: Any = THERE, heard: str = SAY, policy: Faces = ASKED) -> tuple[Liveness, list[float]]:
    """One that sees ``found`` and hears ``heard``, and its clock."""
    clock = [0.0]

    def looks(*_: Any) -> Presence:
        if isinstance(found, Exception):
            raise found
        return found

    return Liveness(policy, ScriptedASR([heard]), looks, lambda: clock[0]), clock


async def refusal(check: Liveness, kind: str = "video/webm") -> str:
    with pytest.raises(PictureError) as error:
        await check.check(UPLOAD, picture(), b"film", kind)
    assert str(error.value)
    return error.value.code


async def test_who_says_the_sentence_is_believed_once() -> None:
    check, _ = checks()
    assert await refusal(check) == "presence_expired", "nothing was asked"
    assert check.ask("upload_1").say == SAY
    await check.check(UPLOAD, picture(), b"film", "video/webm")
    assert await refusal(check) == "presence_expired", "a film counts once"


@pytest.mark.parametrize(("found", "code"), [
    (replace(THERE, seen=0.5), "presence_unseen"),
    (replace(THERE, sync=0.05), "presence_still"),
    (replace(THERE, moved=0.01), "presence_still"),
    (replace(THERE, identity=0.1), "presence_other"),
    (replace(THERE, identity=None, shape=2.0), "presence_other"),
    (MediaError("No film."), "presence_unread"),
    (ValueError("No face."), "presence_incomparable"),
])  # fmt: skip
async def test_what_is_not_the_person_speaking_is_refused(found: Any, code: str) -> None:
    check, _ = checks(found)
    check.ask("upload_1")
    assert await refusal(check) == code


async def test_other_words_other_kinds_and_late_films_are_refused() -> None:
    check, clock = checks(heard="Green birds are nice.")
    check.ask("upload_1")
    assert await refusal(check) == "presence_unheard"
    check.ask("upload_1")
    assert await refusal(check, "image/gif") == "presence_unread"
    check.ask("upload_1")
    clock[0] = PATIENCE_S + 1
    assert await refusal(check) == "presence_expired"


def test_most_of_the_words_must_be_heard_in_their_order() -> None:
    assert said_share(SAY, "green birds paint warm bread, at midnight") == 1
    assert said_share(SAY, "Green words paint warm bread at midnight!") >= liveness.WORDS_SHARE
    assert said_share(SAY, "at midnight warm bread paint green birds") < liveness.WORDS_SHARE
    assert said_share(SAY, "") == 0


def test_sentences_differ_and_have_no_odd_characters() -> None:
    check = Liveness(POLICY, ScriptedASR())
    said = {check.ask("upload_1").say for _ in range(30)}
    assert len(said) > 20 and all(sentence.isascii() and sentence.endswith(".") for sentence in said)


@contextmanager
def guarded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[None]:
    """Servers that ask, and believe whatever film is sent them."""
    monkeypatch.setenv("VASARI_DATA", str(tmp_path))
    monkeypatch.setattr("companion.server.app.Consents", lambda: Consents(policy=ASKED))
    monkeypatch.setattr("companion.avatar.faces.liveness.look", lambda *_: THERE)  # pyright: ignore[reportUnknownLambdaType]
    yield


async def test_a_face_is_used_only_once_its_person_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"use": "companion.stages.fakes:ScriptedASR", "texts": [SAY]}
    with guarded(monkeypatch, tmp_path):
        async with running(asr=said) as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
            free = (await http.post("/v1/portraits?ground=art", content=picture())).json()
            mine = (await http.post("/v1/portraits?ground=self", content=picture())).json()
            assert (free["waits"], mine["waits"]) == (False, True)
            path = f"/v1/portraits/{mine['id']}"
            async with server.connect("realtime") as ws:
                await send(ws, "session.update", session={"avatar": {"character": mine["id"]}})
                assert (await receive(ws, "error"))["error"]["code"] == "unknown_character"
                film: Any = {"content": b"film", "headers": {"Content-Type": "video/webm;codecs=vp8,opus"}}
                assert (await http.put(f"{path}/presence", **film)).json()["error"]["code"] == "presence_expired"
                assert (await http.post(f"{path}/presence")).json()["say"] == SAY
                assert (await http.put(f"{path}/presence", **film)).json()["waits"] is False
                await send(ws, "session.update", session={"avatar": {"character": mine["id"]}})
                updated = await receive(ws, "session.updated")
                assert updated["session"]["avatar"]["character"] == mine["id"]
                await receive(ws, "response.video.delta")  # it is worn
                corrected = await http.put(f"{path}/landmarks", json=mine["landmarks"])
                assert corrected.json()["waits"], "it may be the face of somebody else by now"
                assert (await receive(ws, "error"))["error"]["code"] == "picture_withdrawn"
            assert (await http.post("/v1/portraits/upload_none/presence")).status_code == 404
        grounds = [json.loads(line)["ground"] for line in (tmp_path / "consent.jsonl").read_text().splitlines()]
    assert grounds == ["art", "self", "seen"]
