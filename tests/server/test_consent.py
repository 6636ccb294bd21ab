"""On what ground a face is uploaded, and how consent is withdrawn."""

import asyncio
import hashlib
import io
import json
import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from companion import frontmatter, resources
from companion.avatar.faces.consent import Consents, Faces
from companion.avatar.portraits import PictureError, Upload
from companion.cli.safety import app
from tests.server.loopback import receive, running, send
from tests.server.test_server import picture

SHIPPED = resources.folder("prompts") / "safety" / "faces.md"
POLICY = replace(
    frontmatter.parse(Faces, frontmatter.read(SHIPPED)[0], SHIPPED), denied="Not this one.", ask="Who is it?"
)


def test_the_shipped_policy_asks_for_nothing() -> None:
    assert not POLICY.required and not POLICY.present and not POLICY.deny
    assert "operator" in frontmatter.read(SHIPPED)[1]


def test_grounds_are_written_down_without_the_picture_and_can_be_withdrawn(tmp_path: Path) -> None:
    consents = Consents(tmp_path / "c.jsonl", POLICY)
    consents.given(consents.admit(b"face", "agreed"), "agreed", "ann")
    consents.given(consents.admit(b"face", ""), "", "127.0.0.1")
    sha256 = hashlib.sha256(b"face").hexdigest()
    assert [(e.sha256, e.ground, e.by) for e in consents.entries()] == [
        (sha256, "agreed", "ann"),
        (sha256, "unsaid", "127.0.0.1"),
    ]
    assert stat.S_IMODE((tmp_path / "c.jsonl").stat().st_mode) == 0o600
    consents.withdraw(sha256, "ann")
    with pytest.raises(PictureError, match="Not this one"):
        Consents(tmp_path / "c.jsonl", POLICY).admit(b"face", "self")
    consents.admit(b"another face", "self")


def test_what_another_process_withdraws_is_refused_at_once_and_the_record_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    running, command = Consents(file, POLICY), Consents(file, POLICY)
    for number in range(3):
        content = b"face %d" % number
        sha256 = running.admit(content, "self")
        running.given(sha256, "self", "ann")
        assert not running.refuses(sha256)
        command.withdraw(sha256, "operator")
        assert running.refuses(sha256)
    read = file.read_bytes()
    file.write_bytes(b"?" * len(read))  # lines that are known are not read again
    assert running.refuses(hashlib.sha256(b"face 0").hexdigest())
    file.write_bytes(read[: len(read) // 3])  # another record in its place
    assert not running.refuses(hashlib.sha256(b"face 2").hexdigest())
    with file.open("ab") as half:
        half.write(b'{"sha256": "half a line"')  # still being written
    assert not running.refuses("half a line")


def test_the_operator_may_require_a_ground_and_deny_pictures(tmp_path: Path) -> None:
    denied = hashlib.sha256(b"famous").hexdigest().upper()
    strict = Consents(tmp_path / "c.jsonl", replace(POLICY, required=True, deny=(denied,)))
    for ground in ("", "because"):
        with pytest.raises(PictureError, match="Who is it"):
            strict.admit(b"face", ground)
    with pytest.raises(PictureError, match="Not this one"):
        strict.admit(b"famous", "art")
    strict.admit(b"face", "art")


def test_where_nothing_can_be_written_only_a_required_ground_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="written down"):
        Consents(tmp_path, replace(POLICY, required=True)).given("00", "self", "ann")
    Consents(tmp_path, POLICY).given("00", "self", "ann")
    with pytest.raises(PictureError, match="written down"):
        Consents(tmp_path, POLICY).withdraw("00", "ann")


async def test_a_withdrawn_face_is_gone_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASARI_DATA", str(tmp_path))
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        made = (await http.post("/v1/portraits?ground=self", content=picture())).json()
        assert (await http.post("/v1/portraits?ground=hm", content=picture())).status_code == 400
        assert (await http.delete(f"/v1/portraits/{made['id']}")).status_code == 204
        assert (await http.get(f"/v1/portraits/{made['id']}/landmarks")).status_code == 404
        again = await http.post("/v1/portraits?ground=self", content=picture())
    assert (again.status_code, again.json()["error"]["code"]) == (403, "picture_denied")
    printed = CliRunner().invoke(app, ["consents"]).output.splitlines()
    assert [json.loads(line)["ground"] for line in printed] == ["self", "withdrawn"]


async def test_copies_on_their_way_when_a_file_is_withdrawn_are_not_admitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VASARI_DATA", str(tmp_path))
    begun, go_on = threading.Event(), threading.Event()
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        portraits, add, withdraw = server.engine.portraits, server.engine.portraits.add, Consents.withdraw
        late: list[str] = []

        def slowly(*arguments: Any) -> Upload:
            begun.set()
            assert go_on.wait(20)
            return add(*arguments)

        def meanwhile(consents: Consents, sha256: str, by: str) -> None:
            late.append(add(picture()).id)  # has passed all checks in the moment before
            withdraw(consents, sha256, by)

        first = (await http.post("/v1/portraits?ground=self", content=picture())).json()["id"]
        monkeypatch.setattr(portraits, "add", slowly)
        monkeypatch.setattr(Consents, "withdraw", meanwhile)
        copy = asyncio.create_task(http.post("/v1/portraits?ground=self", content=picture()))
        assert await asyncio.to_thread(begun.wait, 20)
        assert (await http.delete(f"/v1/portraits/{first}")).status_code == 204
        go_on.set()
        assert (await copy).json()["error"]["code"] == "picture_denied"
        assert late and not portraits.has(late[0])
        assert not [name for name in map("upload_{}".format, range(9)) if portraits.has(name)]


async def test_a_session_leaves_a_withdrawn_face_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASARI_DATA", str(tmp_path))
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        first, second = [(await http.post("/v1/portraits", content=picture())).json()["id"] for _ in range(2)]
        async with server.connect("realtime.binary") as ws:
            avatar = {"character": second, "video": {"codecs": ["jpeg"]}}
            await send(ws, "session.update", session={"avatar": avatar})
            assert (await receive(ws, "session.updated"))["session"]["avatar"]["character"] == second
            assert wears_upload((await receive(ws, "response.video.delta"))["bytes"])
            assert (await http.delete(f"/v1/portraits/{first}")).status_code == 204  # another upload of the same file
            assert (await receive(ws, "error"))["error"]["code"] == "picture_withdrawn"
            assert (await receive(ws, "session.updated"))["session"]["avatar"]["character"] == "dot"
            after = [wears_upload((await receive(ws, "response.video.delta"))["bytes"]) for _ in range(8)]
    assert not any(after[2:])  # but for one chunk that was being drawn


def wears_upload(jpeg: bytes) -> bool:
    """By the red of the forehead, which the fakes colour by the length of the name: 166 for eight letters, 131 for the
    three of "dot"."""
    width, height = (picture := Image.open(io.BytesIO(jpeg)).convert("RGB")).size
    forehead = picture.crop((3 * width // 8, height // 5, 5 * width // 8, height // 4))
    return float(np.asarray(forehead)[..., 0].mean()) > (166 + 131) / 2
