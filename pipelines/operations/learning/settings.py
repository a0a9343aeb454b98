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
