"""Configuration: what is in the files, and what is said about a mistake."""

import inspect
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from companion import config, resources
from companion.config import ConfigError
from companion.dialogue.personas import personas

FAKES = config.load("fakes")


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["default", "fakes"])
def test_the_shipped_files_load(name):
    assert config.load(name).server.port == 8765


def test_one_line_changes_one_thing(tmp_path):
    loaded = config.load(write(tmp_path, 'extends = "fakes"\n[tts]\nword_s = 0.5\n'))
    assert loaded.tts.use == FAKES.tts.use
    assert loaded.tts.options == FAKES.tts.options | {"word_s": 0.5}
    assert loaded.llm == FAKES.llm


def test_another_class_does_not_inherit_options(tmp_path):
    loaded = config.load(write(tmp_path, 'extends = "fakes"\n[tts]\nuse = "companion.stages.fakes:Broken"\n'))
    assert loaded.tts.options == {}


def test_overrides_and_the_environment_win(monkeypatch):
    monkeypatch.setenv("VASARI_API_KEY", "k\n")
    loaded = config.load("fakes", {"server": {"port": 9000}})
    assert (loaded.server.port, loaded.server.api_key) == (9000, "k")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[sever]\n", "did you mean 'server'"),
        ("[server]\nprot = 1\n", "did you mean 'port'"),
        ("[tts]\nwords_s = 1\n", "did you mean 'word_s'"),
        ('[server]\nport = "many"\n', "server.port"),
        ("server = 3\n", "should be a table"),
        ("[server\n", "not valid TOML"),
        ('[tts]\nuse = "companion.stages.fakes:Nobody"\n', "no Nobody in companion.stages.fakes"),
        ('[tts]\nuse = "nowhere:Nobody"\n', "nowhere cannot be imported"),
        ('[tts]\nuse = "nowhere"\n', "package.module:Class"),
        ("tts = 3\n", "[tts] should be a table"),
        ("[tools]\ntimer = 3\n", "[tools.timer] should be a table"),
        ('[tts]\nuse = "os:sep"\n', "os:sep is neither a class nor a function"),
        ('[tts]\nuse = "raises_when_imported:X"\n', "raises_when_imported cannot be imported: no GPU"),
    ],
)
def test_mistakes_are_named(tmp_path, monkeypatch, text, says):
    (tmp_path / "raises_when_imported.py").write_text('raise RuntimeError("no GPU")')
    monkeypatch.syspath_prepend(tmp_path)
    head = "" if "server\n" in text and "=" not in text and "]" not in text else 'extends = "fakes"\n'
    with pytest.raises(ConfigError, match=r"mine\.toml") as caught:
        config.load(write(tmp_path, head + text))
    assert says in str(caught.value)


def test_a_file_that_extends_nothing_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"mine\.toml: extends: There is no config 'nowhere'"):
        config.load(write(tmp_path, 'extends = "nowhere"\n'))


def test_home_is_meant_in_every_table(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    text = '[resume]\nurl = "~/r.sqlite"\n[marks]\nkey = "~/k.pem"\n[recording]\nfolder = "~/f"\n'
    loaded = config.load(
        write(tmp_path, f'extends = "fakes"\n{text}[memory]\nuse = "companion.memory:LongTerm"\nurl = "~/m"\n')
    )
    found = loaded.resume.url, loaded.marks.key, loaded.recording.folder, loaded.memory.options["url"]
    assert found == ("/home/anna/r.sqlite", "/home/anna/k.pem", "/home/anna/f", "/home/anna/m")


NAMES = {"companion.fakes:": "ToneTTS", "companion.fakes:Cartoon": "Portraits", "companion.tools:": "timer"}
NAMES |= {"companion.vad:": "Silero", "companion.endpoint:": "SmartTurn", "companion.asr:": "FasterWhisper"}
NAMES |= {"companion.llm:": "LangChain", "companion.tts:": "Hibari", "companion.portraits:": "Gallery"}
NAMES |= {"companion.embedded:": "Embedded", "companion.huggingface:": "Transformers"}


@pytest.mark.parametrize(("old", "new"), config.MOVED_MODULES.items())
def test_an_import_string_from_before_the_moves_is_answered_with_the_new_one(old: str, new: str):
    name = NAMES.get(old, "")
    with pytest.raises(ConfigError, match=f'It has moved: use = "{new}{name}"'):
        config.load("fakes", {"tts": {"use": f"{old}{name}"}})
    if name == "Transformers":
        pytest.importorskip("transformers")  # an extra, which its module imports
    assert config.load_class(config.Stage(f"{new}{name}"), "")


def test_a_file_that_is_not_there_and_one_that_extends_itself(tmp_path):
    with pytest.raises(ConfigError, match="default"):
        config.load("nonesuch")
    with pytest.raises(ConfigError, match="no such file"):
        config.load(tmp_path / "nonesuch.toml")
    with pytest.raises(ConfigError, match="extends itself"):
        config.load(write(tmp_path, 'extends = "mine"\n'))


def test_the_shipped_personas_are_complete():
    prompts = personas.load()
    assert {"companion", "tutor", "listener"} <= set(prompts.personas)
    for persona in prompts.personas.values():
        assert len(persona.examples) >= 4
        assert persona.greeting


def test_a_broken_persona_is_named(tmp_path):
    (tmp_path / "personas").mkdir()
    (tmp_path / "personas" / "x.md").write_text("no front matter")
    with pytest.raises(personas.PromptError, match=r"x\.md"):
        personas.load(tmp_path)


def test_an_option_in_the_user_s_home_is_found_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    loaded = config.load("fakes", {"memory": {"use": "companion.memory:LongTerm", "url": "~/mine.sqlite"}})
    assert loaded.memory.options["url"] == str(tmp_path / "mine.sqlite")


def _written(table: str) -> dict[str, Any]:
    """A table of configs/default.toml as it is written there."""
    return tomllib.loads((resources.folder("configs") / "default.toml").read_text("utf-8"))[table]


@pytest.mark.parametrize(("table", "kind"), config.SECTIONS.items())
def test_the_default_file_names_every_field_with_its_default(table: str, kind: Any):
    written = TypeAdapter(kind).validate_python(_written(table))
    assert written == kind()
    assert sorted(_written(table)) == sorted(field.name for field in fields(kind))


@pytest.mark.parametrize("table", config.STAGES)
def test_the_options_in_the_default_file_are_those_of_the_class(table: str):
    stage = config.load("default").stages()[config.STAGES.index(table)][1]
    parameters = inspect.signature(config.load_class(stage, table)).parameters
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in stage.options.items()}
    other = {key for key, value in given.items() if value != parameters[key].default}
    # A conversation wants its frames one by one; who renders a video has two drawn at a time, which is cheaper.
    assert other == ({"chunk_frames"} if table == "face" else set())
