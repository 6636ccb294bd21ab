"""Which embedded models a configuration needs, as its parts declare them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from companion.config import Config, ConfigError, Stage, load_class
from companion.models.automatic import AUTO
from companion.models.manifest import MODELS, Model

F = TypeVar("F", bound=Callable[..., Any])

EMBEDDER = "minilm"  # tells what sentences mean


@dataclass(frozen=True, slots=True)
class Needs:
    """What a class says in its class variable ``needs``, and a function through `needing`: names of `MODELS`, or
    models of its own.

    ``always`` are needed in any case. Of ``choices`` the one is needed that the option ``option`` names; where it names
    none of them, that is a mistake if they are ``all``, and something else than an embedded model if not. With the
    option ``unless`` none of them is. ``automatic`` gives the name for which "auto" stands. ``within`` is an option
    that names another class, whose options these are.
    """

    always: tuple[str | Model, ...] = ()
    option: str = ""
    choices: Mapping[str, str | Model] = field(default_factory=dict[str, str | Model])
    all: bool = False
    unless: str = ""
    automatic: Callable[[], str] | None = None
    within: str = ""


NO_NEEDS = Needs()


def needing(*models: str | Model) -> Callable[[F], F]:
    """Decorator: the function, a tool for example, needs these models."""

    def declared(function: F) -> F:
        setattr(function, "needs", Needs(models))  # noqa: B010  # a function has no such attribute for type checkers
        return function

    return declared


def needed(config: Config) -> list[Model]:
    """The embedded models that ``config`` uses. Raises ConfigError for one that there is not."""
    found = [one for where, stage in config.stages() for one in _of(stage, f"{config.path}: [{where}]")]
    if config.safety.meaning or config.session.feelings:
        found.append(EMBEDDER)
    models = [MODELS[one] if isinstance(one, str) else one for one in found]
    return list({model.name: model for model in models}.values())


def automatic(config: Config) -> bool:
    """Whether ``config`` leaves it to set-up which model it is."""
    return any(_left_open(stage) for _, stage in config.stages())


def _left_open(stage: Stage) -> bool:
    made = load_class(stage, "")
    needs: Needs = getattr(made, "needs", NO_NEEDS)
    if needs.within and (inner := _importable(_value(made, stage, needs.within), stage.options)):
        return _left_open(inner)
    free = needs.automatic is not None and not stage.options.get(needs.unless)
    return free and _value(made, stage, needs.option) == AUTO


def _of(stage: Stage, where: str) -> list[str | Model]:
    made = load_class(stage, where)
    needs: Needs = getattr(made, "needs", NO_NEEDS)
    if needs.within and (inner := _importable(_value(made, stage, needs.within), stage.options)):
        return [*needs.always, *_of(inner, where)]
    if not needs.choices or stage.options.get(needs.unless):
        return list(needs.always)
    chosen = _value(made, stage, needs.option)
    if needs.automatic and chosen == AUTO:
        chosen = needs.automatic()
    if needs.all and chosen not in needs.choices:
        known = f"{', '.join(needs.choices)}, or {needs.unless} = FILE"
        raise ConfigError(f"{where} there is no embedded model {chosen!r}; there are {known}")
    return [*needs.always, *([needs.choices[chosen]] if chosen in needs.choices else [])]


def _importable(named: Any, options: dict[str, Any]) -> Stage | None:
    """The class that an option names, if it can be imported; else it needs a package first, which is said when it is
    made."""
    stage = Stage(str(named), options)
    try:
        load_class(stage, "")
    except ConfigError:
        return None
    return stage


def _value(made: Any, stage: Stage, option: str) -> Any:
    """The value of an option, or its default."""
    return stage.options.get(option, inspect.signature(made).parameters[option].default)
