"""Which embedded models a configuration needs, as its stages and tools declare them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from companion.config import Config, ConfigError, Stage, load_class
from companion.models.automatic import AUTO
from companion.models.manifest import MODELS, Model

F = TypeVar("F", bound=Callable[..., Any])

EMBEDDER = "minilm"  # the model of sentence embeddings
VOICE_MARK = "perth"  # the model of the inaudible mark in speech


@dataclass(frozen=True, slots=True)
class Needs:
    """The models that a class needs (class variable ``needs``) or a function (`needing`): names in `MODELS`, or models
    of its own.

    Attributes:
        always: needed in any case.
        option, choices: the value of the option ``option`` selects one of ``choices``.
        all: another value is an error; otherwise it means something that is not an embedded model.
        unless: an option which, if given, makes ``choices`` unnecessary.
        automatic: returns the choice that the value "auto" stands for.
        within: an option that names another class, which takes the remaining options and has needs of its own.
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
    """Decorator that declares the models a function needs, for example a tool."""

    def declared(function: F) -> F:
        setattr(function, "needs", Needs(models))  # noqa: B010  # a function has no such attribute for type checkers
        return function

    return declared


def needed(config: Config) -> list[Model]:
    """The models that ``config`` needs, without duplicates.

    Raises:
        ConfigError: a class cannot be imported, an option names an unknown model, or two models have one name.
    """
    found = [one for where, stage in config.stages() for one in _of(stage, f"{config.path}: [{where}]")]
    if config.safety.meaning or config.session.feelings:
        found.append(EMBEDDER)
    if config.marks.voice:
        found.append(VOICE_MARK)
    models = [MODELS[one] if isinstance(one, str) else one for one in found]
    by_name = dict[str, Model]()
    for model in models:
        if by_name.setdefault(model.name, MODELS.get(model.name, model)) != model:
            taken = f"{config.path}: two models have the name {model.name!r}, which is also their folder in the cache"
            raise ConfigError(f"{taken}. Give yours a name that companion doctor does not list.")
    return list(by_name.values())


def automatic(config: Config) -> bool:
    """Whether ``config`` leaves the choice of a model to ``companion setup`` ("auto")."""
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
    """The class that an option names; None if it cannot be imported, which is reported when it is constructed."""
    stage = Stage(str(named), options)
    try:
        load_class(stage, "")
    except ConfigError:
        return None
    return stage


def _value(made: Any, stage: Stage, option: str) -> Any:
    """The value of an option, or its default in the signature of ``made``."""
    return stage.options.get(option, inspect.signature(made).parameters[option].default)
