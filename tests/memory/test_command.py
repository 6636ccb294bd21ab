"""`companion memory`: what an operator sees, corrects and deletes for a user."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from companion.__main__ import app
from companion.avatar.faces.consent import Consents
from companion.memory import LongTerm
from companion.stages.protocols import Message
from tests.memory.conftest import Words


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.setattr("companion.memory.longterm.Embedder", Words)
    monkeypatch.setenv("VASARI_DATA", str(tmp_path / "data"))
    path = tmp_path / "memories.sqlite"
    (tmp_path / "here.toml").write_text(f'extends = "default"\n[memory]\nurl = "{path}"\n')
    memory = LongTerm(str(path))
    asyncio.run(memory.remember("anna", "c1", [Message("user", "My dog is called Rex. I play the violin.")]))
    memory.close()

    def run(name, *arguments):
        return CliRunner().invoke(app, ["memory", name, *arguments, "--config", str(tmp_path / "here.toml")])

    return run


def test_list_edit_export_delete_and_forget(command, tmp_path):
    lines = command("list", "anna").stdout.splitlines()
    assert lines[0].endswith("said\tI play the violin.")
    number = lines[1].split("\t")[0]
    assert command("edit", "anna", number, "My dog is called Max.").exit_code == 0
    assert command("export", "anna", "--out", str(tmp_path / "anna.json")).exit_code == 0
    exported = json.loads((tmp_path / "anna.json").read_text())
    assert [(m["kind"], m["text"]) for m in exported["memories"] if m["id"]] == [
        ("said", "I play the violin."),
        ("told", "My dog is called Max."),
    ]
    Consents().given("00", "self", "anna")
    Consents().withdraw("11", "anna")
    both = json.loads(command("export", "anna").stdout)["consents"]
    assert [entry["ground"] for entry in both] == ["self", "withdrawn"]
    assert command("delete", "anna", number).exit_code == 0
    assert command("delete", "anna", number).exit_code == 1
    assert command("forget-user", "anna", "--yes").stdout.strip() == "4 deleted"  # with two consents
    assert command("list", "anna").stdout == ""
    assert [(entry.sha256, entry.by) for entry in Consents().entries()] == [("11", "")] and Consents().refuses("11")


def test_what_is_not_there_is_said(command, tmp_path):
    result = command("edit", "bert", "1", "x")
    assert result.exit_code == 1
    assert "companion memory list" in result.output
    (tmp_path / "here.toml").write_text('extends = "fakes"\n')
    assert "cannot be listed or changed" in " ".join(command("list", "anna").output.split())
    (tmp_path / "here.toml").write_text('extends = "default"\n[memory]\nurl = "mysql://h/d"\n')
    assert command("list", "anna").exit_code == 1


def test_a_key_can_be_made():
    from companion.memory.seal import Sealed

    key = CliRunner().invoke(app, ["memory", "key"]).stdout.strip()
    assert Sealed(key).open(Sealed(key).close(b"x")) == b"x"
