"""The commands that prepare and examine an installation."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from companion.__main__ import app
from companion.cli import doctor
from companion.config import load
from companion.models.automatic import BETTER, Pace, choose, chosen
from companion.models.fetch import FetchError
from companion.models.manifest import LANGUAGE_MODEL, MODELS
from companion.models.needs import automatic, needed

ROOT = Path(__file__).parents[2]
REINSTALL = "Run: pip install --force-reinstall --no-deps vasari"


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, words)


def test_the_doctor_names_what_is_missing_and_the_way_to_get_it(run):
    result = run("doctor")
    assert result.exit_code == 1
    assert "companion setup --only whisper-base" in result.output
    assert "hibari.onnx" in result.output, "what is there is shown with its place"


def test_the_doctor_misses_a_model_that_only_a_class_of_one_s_own_needs(run, tmp_path):
    config = tmp_path / "own.toml"
    config.write_text('extends = "fakes"\n\n[tts]\nuse = "tests.stages.test_declared:Whistle"\n')
    result = run("doctor", "--config", str(config))
    assert result.exit_code == 1
    assert "The model whistle (speech) is missing. Run: companion setup --config FILE" in result.output


def test_the_doctor_folds_nothing_in_a_narrow_window(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("doctor").output.splitlines()
    assert any(line.startswith("hibari: ") and line.endswith("hibari.onnx") for line in lines)
    assert not [line for line in lines if line.startswith(" " * 20)], "a cell that goes on in the next line"


def test_the_doctor_explains_a_configuration_that_cannot_be_used(run):
    result = run("doctor", "--config", "no-such-config")
    assert result.exit_code == 1
    assert "no-such-config" in result.output


@pytest.mark.model
def test_the_doctor_is_content_after_set_up():
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "--config qwen" in result.output, "who has a small language model learns of better ones"


def test_setting_up_an_unknown_model_lists_the_known_ones(run):
    result = run("setup", "--only", "gpt-17")
    assert result.exit_code == 1
    assert "smollm2-135m" in result.output


@pytest.mark.parametrize(
    ("config", "models"),
    [
        ("default", {"perth", "silero-vad", "minilm", "smart-turn", "whisper-base", "qwen2.5-0.5b", "hibari", "joe"}),
        ("openai", {"perth", "silero-vad", "minilm", "smart-turn", "whisper-base", "hibari", "joe"}),
        ("kokoro", {"perth", "silero-vad", "minilm", "smart-turn", "whisper-base", "qwen2.5-0.5b", "kokoro"}),
        ("tiny", {"perth", "silero-vad", "minilm", "smart-turn", "whisper-base", "smollm2-135m", "hibari", "joe"}),
        ("qwen", {"perth", "silero-vad", "minilm", "smart-turn", "whisper-base", "qwen2.5-1.5b", "hibari", "joe"}),
        ("fakes", set()),
    ],
)
def test_only_the_models_in_use_are_needed(config, models):
    assert {model.name for model in needed(load(config))} == models


LEAN = {"safety": {"meaning": False}, "session": {"feelings": False}}


@pytest.mark.parametrize(
    ("changes", "models"),
    [
        (LEAN, set()),
        (LEAN | {"session": {"feelings": True}}, {"minilm"}),
        (LEAN | {"safety": {"meaning": True}}, {"minilm"}),
        (LEAN | {"memory": {"use": "companion.memory:LongTerm"}}, {"minilm"}),
        (LEAN | {"tools": {"lookup": {"use": "companion.dialogue.tools:lookup", "folder": "/"}}}, {"minilm"}),
        (LEAN | {"asr": {"use": "companion.stages.asr:FasterWhisper"}}, {"whisper-base", "silero-vad"}),
        (LEAN | {"asr": {"use": "companion.stages.asr:FasterWhisper", "model": "small"}}, {"silero-vad"}),
        (LEAN | {"vad": {"use": "companion.stages.vad:Silero"}}, {"silero-vad"}),
    ],
)
def test_each_part_brings_the_models_that_it_needs(changes, models):
    assert {model.name for model in needed(load("fakes", changes))} == models


def test_the_doctor_knows_all_that_the_project_needs_and_offers():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(doctor.PACKAGES) == {re.split("[<>=]", one)[0] for one in project["dependencies"]}
    assert set(doctor.EXTRAS) == set(project["optional-dependencies"]) - {"dev"}


def test_the_doctor_knows_every_network_and_table_that_ships():
    kinds = ("*.onnx", "*.npz", "*.task", "*.tflite", "*.safetensors")
    folders = [ROOT / "animator", ROOT / "companion"]
    shipped = {str(path.relative_to(ROOT)) for folder in folders for kind in kinds for path in folder.rglob(kind)}
    assert set(doctor.SHIPPED_FILES) == shipped


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("animator/motion/voice/closing.onnx", None),
        ("animator/motion/voice/closing.onnx", b""),
        *[(name, b"nonsense") for name in doctor.SHIPPED_FILES],
    ],
)
def test_the_doctor_sees_what_is_damaged(run, monkeypatch, tmp_path, name, damage):
    for one in doctor.SHIPPED_FILES:
        (tmp_path / one).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / one).symlink_to(ROOT / one)
    (tmp_path / name).unlink()
    if damage is not None:
        (tmp_path / name).write_bytes(damage)
    monkeypatch.setattr("animator.__file__", str(tmp_path / "animator" / "__init__.py"))
    complaints = [line for line in run("doctor", "--config", "fakes").output.splitlines() if line.startswith("! ")]
    assert complaints == [f"! {tmp_path / name} is missing or damaged. {REINSTALL}"]


@pytest.mark.parametrize("command", ["setup", "doctor"])
def test_a_language_model_that_there_is_not_is_named_with_those_that_there_are(command, run, tmp_path):
    config = tmp_path / "mine.toml"
    config.write_text('extends = "default"\n[llm]\nmodel = "qwen2.5-0.6b"\n')
    result = run(command, "--config", str(config))
    told = " ".join(result.output.split())
    assert result.exit_code == 1
    assert "'qwen2.5-0.6b'; there are smollm2-135m, qwen2.5-0.5b, qwen2.5-1.5b" in told


FAST, SLOW = Pace(reads=400.0, writes=60.0, memory=16e9), Pace(reads=60.0, writes=25.0, memory=16e9)


@pytest.mark.parametrize(
    ("pace", "model"),
    [
        (FAST, BETTER),
        (SLOW, LANGUAGE_MODEL),
        (Pace(reads=90.0, writes=90.0, memory=16e9), LANGUAGE_MODEL),  # it would read for a second before it begins
        (Pace(reads=1000.0, writes=15.0, memory=16e9), LANGUAGE_MODEL),  # it would write as slowly as is spoken
        (Pace(reads=400.0, writes=60.0, memory=4e9), LANGUAGE_MODEL),
    ],
)
def test_the_better_model_is_for_machines_where_it_keeps_up(pace, model):
    assert choose(pace) == model


@pytest.fixture
def setting_up(run, monkeypatch):
    """`companion setup --config auto` on a machine of some pace, where a model may fail to come."""
    fetched: list[str] = []

    def set_up(pace: Pace, fails: str = "") -> tuple[str, list[str]]:
        def fetch(model, progress):
            if model.name == fails:
                raise FetchError("no network")
            fetched.append(model.name)

        fetched.clear()
        monkeypatch.setattr("companion.cli.setup.fetch", fetch)
        monkeypatch.setattr("companion.stages.llm.measuring.measure", lambda: pace)
        for after in ("draw_once", "signing_key"):
            monkeypatch.setattr(f"companion.cli.setup.{after}", lambda *given: None)
        result = run("setup", "--config", "auto")
        assert result.exit_code == 0, result.output
        return result.output, list(fetched)

    return set_up


def test_auto_brings_the_model_that_this_machine_keeps_up_with(setting_up):
    assert automatic(load("auto")) and not automatic(load("default")) and not automatic(load("openai"))
    assert MODELS[LANGUAGE_MODEL] in needed(load("auto")), "it is what is measured"
    told, fetched = setting_up(FAST)
    assert f"language model: {BETTER}" in told and fetched[-1] == BETTER
    assert chosen() == BETTER and MODELS[BETTER] in needed(load("auto")) and MODELS[BETTER] not in needed(load())
    told, fetched = setting_up(SLOW)
    assert f"language model: {LANGUAGE_MODEL}" in told
    assert chosen() == LANGUAGE_MODEL and MODELS[BETTER] not in needed(load("auto"))


def test_auto_keeps_the_small_model_where_the_better_one_does_not_come(setting_up):
    told, _ = setting_up(FAST, fails=BETTER)
    assert "no network" in told and chosen() == LANGUAGE_MODEL


@pytest.mark.parametrize("found", ["", "{}", '{"model": "gpt-17"}', "[]"])
def test_what_set_up_found_may_be_damaged(run, tmp_path, found):
    (tmp_path / "language-model.json").write_text(found)
    assert chosen() == LANGUAGE_MODEL


def test_auto_names_no_file_of_one_s_own(tmp_path):
    config = tmp_path / "mine.toml"
    config.write_text('extends = "auto"\n[llm]\npath = "mine.gguf"\n')
    assert not automatic(load(config))
