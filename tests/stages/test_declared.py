"""What stages say of themselves, as data: what they can do besides, and which models they need."""

from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from companion import engine
from companion.config import ConfigError, Stage, load
from companion.models.manifest import MODELS, Archive, File, Model, Part
from companion.models.needs import Needs, needed, needing
from companion.stages import protocols
from companion.stages.fakes import DictMemory, ScriptedASR, ScriptedCaller, ScriptedLLM, ToneTTS
from companion.stages.llm.chat_model import LangChain
from companion.stages.protocols import METHODS, Abilities, abilities
from companion.stages.replicas import ASRReplicas, LLMReplicas, TTSReplicas
from companion.stages.tts.remote_voice import RemoteVoice

FILE = File("whistle.onnx", 3, "0" * 64, (Part(Archive("pypi", "w", "1", 9), "w"),))
OWN = Model("whistle", "speech", "MIT", (FILE,))
TAKEN = {  # by each method of the Protocols, what it may be called with
    name: list(signature(method).parameters)
    for protocol in vars(protocols).values()
    if isinstance(protocol, type) and getattr(protocol, "_is_protocol", False)
    for name, method in vars(protocol).items()
    if not name.startswith("_") and callable(method)
}
LEAN = {"safety": {"meaning": False}, "session": {"feelings": False}}


class Whistle(ToneTTS):
    """A user's own voice, which brings its own model."""

    needs = Needs(("silero-vad", OWN), option="size", choices={"large": "kokoro", "own": OWN})
    abilities = Abilities(voices=("high", "low"), voice="low")

    def __init__(self, size: str = "small") -> None:
        super().__init__()

    def with_voice(self, voice: str) -> "Whistle":
        return self


class Boast(ToneTTS):
    """Says that it takes pronunciations, and cannot."""

    abilities = Abilities(pronounces=True)


class Namesake(ToneTTS):
    """Brings a model that is named like one that ships."""

    needs = Needs((Model("minilm", "speech", "MIT", (FILE,)),))


class Choosy:
    """A chat model that is one of two, unless it is a file."""

    needs = Needs(option="model", choices={"a": "kokoro", "b": "hibari"}, all=True, unless="path")

    def __init__(self, model: str = "a", path: str = "") -> None: ...


@needing("minilm")
def tool(host: Any) -> None:
    """It is about meaning."""


def names(**changes: Any) -> list[str]:
    return [model.name for model in needed(load("fakes", LEAN | changes))]


def use(name: str, **options: Any) -> dict[str, Any]:
    return {"use": f"tests.stages.test_declared:{name}", **options}


def test_a_stage_of_one_s_own_brings_models_that_are_fetched_like_others():
    assert names(tts=use("Whistle")) == ["silero-vad", "whistle"]
    assert names(tts=use("Whistle", size="large")) == ["silero-vad", "whistle", "kokoro"]
    assert names(tts=use("Whistle", size="own")) == ["silero-vad", "whistle"]
    assert needed(load("fakes", LEAN | {"tts": use("Whistle")}))[1] == OWN


def test_a_model_of_ones_own_takes_the_name_of_no_other() -> None:
    with pytest.raises(ConfigError, match=r"two models have the name 'minilm'.*companion doctor"):
        needed(load("fakes", LEAN | {"tts": use("Namesake")}))


def test_a_tool_says_it_through_a_decorator():
    assert names(tools={"mine": use("tool")}) == ["minilm"]
    assert names(tools={"mine": {"use": "companion.dialogue.tools:timer"}}) == []


def test_a_chat_model_says_it_for_the_stage_that_it_is_within():
    chat = {"use": "companion.stages.llm.chat_model:LangChain", "chat": "tests.stages.test_declared:Choosy"}
    assert names(llm=chat) == ["kokoro"]
    assert names(llm=chat | {"model": "b"}) == ["hibari"]
    assert names(llm=chat | {"path": "/my.gguf"}) == []
    assert names(llm=chat | {"chat": "not_installed_here:Chat"}) == []
    with pytest.raises(ConfigError, match=r"\[llm\].*'c'; there are a, b, or path"):
        names(llm=chat | {"model": "c"})


def test_an_ability_without_its_method_is_found_before_anybody_talks():
    with pytest.raises(ConfigError, match=r"\[tts\].*Boast.*pronouncing"):
        engine._construct(Stage("tests.stages.test_declared:Boast"), "tts", load("fakes"))
    assert engine._construct(Stage("tests.stages.test_declared:Whistle"), "tts", load("fakes")).abilities.voice == "low"


@pytest.mark.parametrize("stage", [ScriptedLLM(), ScriptedCaller(), ScriptedASR(), ToneTTS(), DictMemory(), object()])
def test_a_stage_can_do_what_it_says_and_nothing_else(stage: Any):
    can = abilities(stage)
    assert protocols.missing(stage) == []
    assert protocols.calls_tools(stage) == can.calls_tools == isinstance(stage, ScriptedCaller)
    assert protocols.prepares(stage) == protocols.keeps(stage) == protocols.learns(stage) is False
    assert protocols.knows_language(stage, "de") == isinstance(stage, ScriptedASR)
    assert not protocols.has_voice(stage, "high")


def test_abilities_that_need_a_method_are_known():
    assert set(METHODS) <= {field.name for field in fields(Abilities)}


@pytest.mark.parametrize("config", sorted(path.stem for path in (Path(__file__).parents[2] / "configs").glob("*.toml")))
def test_the_needs_of_every_config_that_ships_are_known(config: str):
    assert {model.name for model in needed(load(config))} <= set(MODELS)


@pytest.mark.parametrize("stage", [LangChain, ASRReplicas, LLMReplicas, TTSReplicas, RemoteVoice, ScriptedCaller])
def test_a_stage_takes_all_that_its_protocols_may_be_asked_with(stage: type):
    asked = {name: method for name, method in vars(stage).items() if name in TAKEN}
    assert asked, "it has none of the methods"
    for name, method in asked.items():
        assert list(signature(method).parameters) == TAKEN[name], name
