"""The tunable parameters of each family: limits, defaults, and the range worth searching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.operations.contract import Json, OperationError


@dataclass(frozen=True)
class Tunable:
    """A parameter: default, hard limits, and the range that a search covers."""

    name: str
    default: float
    limits: tuple[float, float]
    search: tuple[float, float]
    log: bool = False
    whole: bool = False
    steps: int = 20  # values told apart when the size of the space is stated


@dataclass(frozen=True)
class Choice:
    """A parameter that is one of a few words; the first is the default. Never searched."""

    name: str
    choices: tuple[str, ...]


# Families that read columns of texts, from the simplest on; the first has nothing to tune.
TEXT_FAMILIES = ("keywords", "text_linear", "text_svc", "text_boosting")
# Terms of texts: in how many rows at least, and how many of the most frequent ones.
TERMS = (
    Tunable("min_rows", 2, (1, 1_000_000), (1, 5), whole=True, steps=5),
    Tunable("max_terms", 20_000, (10, 1_000_000), (2_000, 50_000), log=True, whole=True),
)

# Search ranges (own): a decade or more around the library's default, trees kept small enough
# that one candidate fits 200,000 rows in seconds.
BOOSTING: tuple[Tunable, ...] = (
    Tunable("learning_rate", 0.1, (1e-4, 1.0), (0.02, 0.3), log=True),
    Tunable("max_iter", 100, (1, 2000), (40, 160), whole=True),
    Tunable("max_leaf_nodes", 31, (2, 1024), (4, 63), log=True, whole=True),
    Tunable("min_samples_leaf", 20, (1, 100_000), (10, 400), log=True, whole=True),
    Tunable("l2_regularization", 0.0, (0.0, 1e6), (1e-3, 100.0), log=True),
    Tunable("max_features", 1.0, (0.01, 1.0), (0.3, 1.0)),
)
TUNABLES: Mapping[str, tuple[Tunable, ...]] = {
    "dummy": (),
    "linear": (Tunable("C", 1.0, (1e-6, 1e6), (1e-3, 1e2), log=True),),
    "boosting": BOOSTING,
    "keywords": (),
    "text_linear": (
        Tunable("C", 1.0, (1e-6, 1e6), (0.05, 50.0), log=True),
        *TERMS,
    ),
    "text_svc": (
        Tunable("C", 0.5, (1e-6, 1e6), (0.01, 10.0), log=True),
        *TERMS,
    ),
    "text_boosting": (
        Tunable("components", 50, (2, 500), (10, 100), whole=True),
        Tunable("learning_rate", 0.1, (1e-4, 1.0), (0.02, 0.3), log=True),
        Tunable("max_iter", 100, (1, 2000), (40, 160), whole=True),
        Tunable("max_leaf_nodes", 15, (2, 1024), (4, 31), log=True, whole=True),
        Tunable("min_samples_leaf", 20, (1, 100_000), (10, 200), log=True, whole=True),
        Tunable("l2_regularization", 1.0, (0.0, 1e6), (1e-3, 100.0), log=True),
        *TERMS,
    ),
}
VALUE_TUNABLES: Mapping[str, tuple[Tunable, ...]] = {
    "dummy": (),
    "linear": (Tunable("alpha", 1.0, (0.0, 1e9), (1e-3, 1e4), log=True),),
    "boosting": BOOSTING,
}
VALUE_CHOICES: Mapping[str, tuple[Choice, ...]] = {
    # the best constant by absolute errors, and that by squares
    "dummy": (Choice("strategy", ("median", "mean")),),
    # what the trees minimise: squares lead to the mean, absolute errors to the median
    "boosting": (Choice("loss", ("squared_error", "absolute_error")),),
}


@dataclass(frozen=True)
class Space:
    """What may be set of one family of one task."""

    family: str
    tunables: tuple[Tunable, ...]
    choices: tuple[Choice, ...] = ()

    @property
    def names(self) -> str:
        """All parameters, for a sentence."""
        names = [tunable.name for tunable in self.tunables]
        return ", ".join([*names, *(choice.name for choice in self.choices)]) or "none"


def clean_settings(given: Mapping[str, Json], space: Space) -> dict[str, Json]:
    """Settings that the family knows, within limits; raises OperationError for the first other."""
    known = {tunable.name: tunable for tunable in space.tunables}
    words = {choice.name: choice.choices for choice in space.choices}
    for name, value in given.items():
        if name in words:
            if value not in words[name]:
                raise _refused(name, value, f"is one of {', '.join(words[name])}")
        elif name not in known:
            raise _refused(name, value, f"is a parameter of {space.family}: {space.names}")
        else:
            _check_number(name, value, known[name])
    return {name: given[name] for name in sorted(given)}


def _check_number(name: str, value: Json, tunable: Tunable) -> None:
    low, high = tunable.limits
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= float(str(value)) <= high:
        raise _refused(name, value, f"is a number from {low:g} to {high:g}")
    if tunable.whole and not float(str(value)).is_integer():
        raise _refused(name, value, "is a whole number")


def number_of(settings: Mapping[str, Json], name: str, default: float) -> float:
    """A numeric setting, or its default."""
    value = settings.get(name)
    return float(value) if isinstance(value, int | float) else default


def _refused(name: str, value: Json, rule: str) -> OperationError:
    return OperationError(
        "bad_setting",
        f"settings: {name} is {value!r}",
        field=f"settings.{name}",
        value=value,
        rule=rule,
    )
