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


# Families that read columns of texts, from the simplest on; the first has nothing to tune.
TEXT_FAMILIES = ("keywords", "text_linear", "text_svc", "text_boosting")
# Terms of texts: in how many rows at least, and how many of the most frequent ones.
TERMS = (
    Tunable("min_rows", 2, (1, 1_000_000), (1, 5), whole=True, steps=5),
    Tunable("max_terms", 20_000, (10, 1_000_000), (2_000, 50_000), log=True, whole=True),
)

# Search ranges (own): a decade or more around the library's default, trees kept small enough
# that one candidate fits 200,000 rows in seconds.
TUNABLES: Mapping[str, tuple[Tunable, ...]] = {
    "dummy": (),
    "linear": (Tunable("C", 1.0, (1e-6, 1e6), (1e-3, 1e2), log=True),),
    "boosting": (
        Tunable("learning_rate", 0.1, (1e-4, 1.0), (0.02, 0.3), log=True),
        Tunable("max_iter", 100, (1, 2000), (40, 160), whole=True),
        Tunable("max_leaf_nodes", 31, (2, 1024), (4, 63), log=True, whole=True),
        Tunable("min_samples_leaf", 20, (1, 100_000), (10, 400), log=True, whole=True),
        Tunable("l2_regularization", 0.0, (0.0, 1e6), (1e-3, 100.0), log=True),
        Tunable("max_features", 1.0, (0.01, 1.0), (0.3, 1.0)),
    ),
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


def clean_settings(family: str, given: Mapping[str, Json]) -> dict[str, Json]:
    """Settings that the family knows, within limits; raises OperationError for the first other."""
    known = {tunable.name: tunable for tunable in TUNABLES.get(family, ())}
    for name, value in given.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise _refused(name, value, f"is a parameter of {family}: {names}")
        low, high = known[name].limits
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= float(str(value)) <= high:
            raise _refused(name, value, f"is a number from {low:g} to {high:g}")
        if known[name].whole and not float(str(value)).is_integer():
            raise _refused(name, value, "is a whole number")
    return {name: given[name] for name in sorted(given)}


def _refused(name: str, value: Json, rule: str) -> OperationError:
    return OperationError(
        "bad_setting",
        f"settings: {name} is {value!r}",
        field=f"settings.{name}",
        value=value,
        rule=rule,
    )
