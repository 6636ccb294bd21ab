"""The settings of a training run, read from TOML."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class ConfigError(Exception):
    """The file of a training run is missing, is not TOML, or has settings that are not valid."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Architecture(_Strict):
    """Size of the network; ``past`` and ``window`` in frames."""

    width: int = 256
    layers: int = 4
    heads: int = 4
    past: int = Field(default=32, ge=4, le=256)
    window: int = Field(default=8, ge=2, le=32)

    @model_validator(mode="after")
    def _divisible(self) -> "Architecture":
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} must be a multiple of twice the {self.heads} heads")
        return self


class Dropout(_Strict):
    """How often each condition is left out in training, as a share of the sequences, 0 to 1."""

    past: float = 0.15
    own: float = 0.1
    other: float = 0.1
    emotion: float = 0.1
    gaze: float = 0.1
    distance: float = 0.1


class Training(_Strict):
    """One run. Relative paths are relative to the working directory."""

    shards: Path
    out: Path
    architecture: Architecture = Architecture()
    dropout: Dropout = Dropout()
    start: Path | None = None  # weights (.safetensors) to begin with, of the same architecture
    steps: int = 20_000
    minutes: float | None = None  # stop earlier; the learning rate falls accordingly
    batch: int = 16
    stretch: int = 96  # frames of a training sequence
    windows: int = 8  # of each sequence
    rate: float = 6e-4
    warm_up: int = 200  # steps
    average: float = 0.999  # decay of the moving average of the weights
    variants: int = 2  # augmentations of each clip's sound (voice, room, noise) for which features are computed
    validate_every: int = 500
    precision: Literal["no", "fp16", "bf16"] = "no"
    threads: int = 1
    seed: int = 1


def read(path: Path) -> Training:
    """The settings in ``path``. Raises `ConfigError`, which names the setting and what is wrong with it."""
    try:
        return Training.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Give the TOML file of a training run.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{path}: {faults}.") from error
