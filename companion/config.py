"""The configuration: frozen dataclasses read from TOML.

configs/default.toml documents every field and its default; times have their unit in the name (``_ms``, ``_s``).
"""

import difflib
import importlib
import inspect
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from companion import resources

Table = dict[str, Any]
T = TypeVar("T")

STAGES = ("vad", "turn_end", "asr", "llm", "tts", "memory", "face", "portraits")


MOVED_MODULES = {  # old prefix of an import string, as users' configurations may still have it -> the new prefix
    "companion.vad:": "companion.stages.vad:",
    "companion.endpoint:": "companion.stages.turn_end:",
    "companion.asr:": "companion.stages.asr:",
    "companion.llm:": "companion.stages.llm.chat_model:",
    "companion.tts:": "companion.stages.tts:",
    "companion.fakes:Cartoon": "companion.avatar.cartoon:Cartoon",
    "companion.fakes:": "companion.stages.fakes:",
    "companion.portraits:": "companion.avatar.portraits:",
    "companion.tools:": "companion.dialogue.tools:",
    "companion.embedded:": "companion.stages.llm.embedded:",
    "companion.huggingface:": "companion.stages.llm.huggingface:",
    "animator.face:Animator": "animator.live:Animator",
}


class ConfigError(Exception):
    """The configuration is invalid; the message names the file, the key and what to write instead."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An implementation: ``use`` is its import string (``"package.module:Class"``), ``options`` are the keyword
    arguments of its constructor."""

    use: str
    options: Table = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Server:
    """``[server]``: where the server listens, who may enter, and its limits."""

    host: str = "127.0.0.1"
    port: int = 8765
    api_key: str = ""
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    max_sessions: int = 4
    max_sessions_per_user: int = 2
    max_connections: int = 256
    max_connections_per_address: int = 64
    first_message_s: float = 60.0
    idle_s: float = 900.0
    drain_s: float = 0.0
    max_picture_bytes: int = 20_000_000
    face_threads: int = 0
    video_encoders: tuple[str, ...] = ()
    otlp_endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """``[session]``: the default persona and character, and how replies are made."""

    persona: str = "companion"
    character: str = ""
    greet: bool = False
    history_messages: int = 24
    filler_after_ms: int = 2500
    openers: bool = True
    manners: bool = True
    drafts_of_endpoints: bool = False
    murmurs: bool = True
    feelings: bool = True
    feeling_tags: bool = False


@dataclass(frozen=True, slots=True)
class Turns:
    """``[turns]``: voice activity detection, endpointing and barge-in; ``threshold`` is a probability, 0 to 1."""

    detection: Literal["server_vad", "semantic_vad"] = "semantic_vad"
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    pause_ms: int = 100
    min_speech_ms: int = 90
    barge_in_ms: int = 1000
    max_turn_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Care:
    """``[safety]``: how danger is detected, the default country (ISO 3166-1 alpha-2), and minors' limits in minutes."""

    meaning: bool = True
    trust_model: bool = False
    country: str = ""
    minors: bool = False
    minors_minutes: float = 60.0
    minors_day_minutes: float = 120.0
    minors_pause_minutes: float = 15.0


@dataclass(frozen=True, slots=True)
class Resume:
    """``[resume]``: how long conversations of lost connections are kept (0: not at all), and where."""

    seconds: float = 300.0
    url: str = ""
    key_file: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """``[marks]``: PEM files of the certificate chain and private key that sign recordings; "": this installation's.
    ``voice``: speech carries an inaudible mark."""

    certificate: str = ""
    key: str = ""
    voice: bool = True


@dataclass(frozen=True, slots=True)
class Recording:
    """``[recording]``: the folder for recordings of sessions; "" for none."""

    folder: str = ""


@dataclass(frozen=True, slots=True)
class WebRtc:
    """``[webrtc]``: the STUN and TURN servers by which the server is reached, as in
    `companion.server.transport.peer.ice_server`."""

    servers: tuple[str, ...] = ()


SECTIONS = {
    "server": Server,
    "session": Talk,
    "turns": Turns,
    "safety": Care,
    "resume": Resume,
    "marks": Marks,
    "recording": Recording,
    "webrtc": WebRtc,
}


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration, as `load` reads it from the file ``path``: one field per table."""

    server: Server
    session: Talk
    turns: Turns
    safety: Care
    marks: Marks
    vad: Stage
    turn_end: Stage
    asr: Stage
    llm: Stage
    tts: Stage
    memory: Stage
    face: Stage
    portraits: Stage
    path: Path
    tools: dict[str, Stage] = field(default_factory=dict[str, Stage])
    resume: Resume = Resume(seconds=0.0)
    recording: Recording = Recording()
    webrtc: WebRtc = WebRtc()

    def stages(self) -> list[tuple[str, Stage]]:
        """Everything chosen by import string, tools included, as (name of its table, stage)."""
        tools = [(f"tools.{name}", tool) for name, tool in self.tools.items()]
        return [*((name, getattr(self, name)) for name in STAGES), *tools]


def load(source: str | Path = "default", overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a configuration.

    Args:
        source: name of a file in ``configs/``, or a path that ends in .toml.
        overrides: values that replace those of the file, nested like its tables. The environment variable
            VASARI_API_KEY, if set, replaces ``server.api_key`` in turn.

    Raises:
        ConfigError: a missing file, broken TOML, an unknown key, a value of the wrong type, or a stage that does not
            exist or does not take the options given.
    """
    path = _find(source)
    table = _merge(_read(path, ()), overrides or {})
    if key := os.environ.get("VASARI_API_KEY", "").strip():  # a key read from a file often ends in a newline
        table = _merge(table, {"server": {"api_key": key}})
    _refuse_unknown(table, [f.name for f in fields(Config) if f.name != "path"], "", path)
    parts: Table = {name: _section(kind, table.get(name, {}), name, path) for name, kind in SECTIONS.items()}
    parts |= {name: _stage(table, name, path) for name in STAGES}
    return Config(path=path, tools=_tools(table.get("tools", {}), path), **parts)


def load_class(stage: Stage, where: str) -> Any:
    """Import the class (or function) that ``stage.use`` names; ``where`` begins the error message.

    Raises ConfigError when it does not exist or its module cannot be imported.
    """
    module_name, _, name = stage.use.partition(":")
    if not name:
        raise ConfigError(f'{where}: use = "{stage.use}" should read "package.module:Class"')
    hint = moved("use", stage.use)
    try:
        return getattr(importlib.import_module(module_name), name)
    except AttributeError as error:
        raise ConfigError(f"{where}: there is no {name} in {module_name}{hint}") from error
    except Exception as error:  # modules of users run, and raise, anything
        raise ConfigError(f"{where}: {module_name} cannot be imported: {error}{hint}") from error


def moved(key: str, path: str) -> str:
    """A hint to append to an error message: the new import string for ``path``, the value of ``key`` in a
    configuration, if its module has moved; else ""."""
    new = next((path.replace(old, new, 1) for old, new in MOVED_MODULES.items() if path.startswith(old)), None)
    return f'. It has moved: {key} = "{new}"' if new else ""


def _find(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix == ".toml":
        if path.is_file():
            return path.resolve()
        raise ConfigError(f"{path}: no such file")
    configs = resources.folder("configs")
    if (configs / f"{source}.toml").is_file():
        return configs / f"{source}.toml"
    names = sorted(p.stem for p in configs.glob("*.toml"))
    raise ConfigError(f"There is no config {source!r}: give a path ending in .toml, or one of {', '.join(names)}")


def _read(path: Path, seen: tuple[Path, ...]) -> Table:
    if path in seen:
        raise ConfigError(f"{path}: extends itself through {' -> '.join(p.name for p in (*seen, path))}")
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if (base := table.pop("extends", None)) is None:
        return table
    beside = path.parent / f"{base}.toml"
    try:
        found = beside if beside.is_file() else _find(str(base))
    except ConfigError as error:
        raise ConfigError(f"{path}: extends: {error}") from error
    return _merge(_read(found, (*seen, path)), table)


def _merge(base: Table, change: Mapping[str, Any]) -> Table:
    """Merge ``change`` into ``base``, table by table. A table with another ``use`` is replaced as a whole, because
    options belong to their class."""
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        if isinstance(value, Mapping) and isinstance(old, dict) and value.get("use", old.get("use")) == old.get("use"):
            result[key] = _merge(cast(Table, old), cast(Table, value))
        else:
            result[key] = value
    return result


def _refuse_unknown(table: Mapping[str, Any], known: list[str], where: str, path: Path) -> None:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1, 0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            raise ConfigError(f"{path}: unknown key {where + key!r}; {hint}")


def _section(kind: type[T], values: Any, name: str, path: Path) -> T:
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: [{name}] should be a table")
    _refuse_unknown(cast(Table, values), [f.name for f in fields(cast(Any, kind))], f"{name}.", path)
    try:
        return TypeAdapter(kind).validate_python({key: _at_home(value) for key, value in cast(Table, values).items()})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {name}.{key}: {first['msg']}") from error


def _at_home(value: Any) -> Any:
    """Expand a leading ``~/``, so that nobody else has to."""
    return str(Path(value).expanduser()) if isinstance(value, str) and value.startswith("~/") else value


def _tools(tables: Any, path: Path) -> dict[str, Stage]:
    if not isinstance(tables, dict):
        raise ConfigError(f"{path}: [tools] holds tables such as [tools.timer]")
    found = cast(Table, tables)
    return {name: _stage(found, name, path, "tools.") for name in found}


def _stage(table: Table, name: str, path: Path, within: str = "") -> Stage:
    found: Any = table.get(name, {})
    name = within + name
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: [{name}] should be a table")
    values = dict(cast(Table, found))
    use = values.pop("use", None)
    if not isinstance(use, str):
        raise ConfigError(f'{path}: [{name}] needs use = "package.module:Class"')
    stage = Stage(use, {key: _at_home(value) for key, value in values.items()})
    where = f"{path}: [{name}]"
    made = load_class(stage, where)
    if not callable(made):
        raise ConfigError(f"{where} {use} is neither a class nor a function")
    parameters = inspect.signature(made).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        _refuse_unknown(values, [p for p in parameters if p != "self"], f"{name}.", path)
    for key, parameter in list(parameters.items())[1 if within else 0 :]:  # a tool's first parameter is its host
        required = parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        if required and key not in values:
            raise ConfigError(f"{path}: [{name}] {use} needs {key} = ...")
    return stage
