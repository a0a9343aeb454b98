"""What is different between two packs of evidence: metrics, parameters, data, slices. Pure.

Nothing here is a paired test: the packs keep intervals, not rows. So two values are called apart
only where their intervals do not overlap, which is stricter than a paired test would be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.runs.queries.facts import Facts, number, rows, saying

LONGEST = 80  # characters of a value that is shown
MOST_SLICES = 12


@dataclass(frozen=True)
class Measured:
    """A metric in both: its value and interval now and there; `apart`: intervals do not overlap."""

    name: str
    now: float
    low: float | None
    high: float | None
    then: float | None
    then_low: float | None
    then_high: float | None

    @property
    def change(self) -> float | None:
        """The value now less the value there."""
        return None if self.then is None else self.now - self.then

    @property
    def apart(self) -> bool | None:
        """Whether the intervals lie apart; None where one has none."""
        if None in (self.low, self.high, self.then_low, self.then_high):
            return None
        return bool(self.low > self.then_high or self.high < self.then_low)  # type: ignore[operator]


@dataclass(frozen=True)
class Told:
    """A parameter or a count that is different."""

    what: str
    now: str
    then: str


@dataclass(frozen=True)
class Differences:
    """All that is different; `same` counts the parameters and counts that are equal."""

    metrics: tuple[Measured, ...]
    parameters: tuple[Told, ...]
    counts: tuple[Told, ...]
    worse: tuple[str, ...]
    better: tuple[str, ...]
    same: int

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to compare, or nothing differs."""
        return not (self.metrics or self.parameters or self.counts or self.worse or self.better)


def differences(now: Facts, then: Facts) -> Differences:
    """Return what the pack `now` has otherwise than `then`."""
    parameters, same = _told(_parameters(now), _parameters(then))
    counts, equal = _told(_counts(now), _counts(then))
    mine, theirs = _worse(now), _worse(then)
    known = mine is not None and theirs is not None
    return Differences(
        metrics=tuple(_metrics(now, then)),
        parameters=parameters,
        counts=counts,
        worse=tuple(sorted((mine or set()) - (theirs or set())))[:MOST_SLICES] if known else (),
        better=tuple(sorted((theirs or set()) - (mine or set())))[:MOST_SLICES] if known else (),
        same=same + equal,
    )


def _metrics(now: Facts, then: Facts) -> Iterator[Measured]:
    mine, theirs = _measured(now), _measured(then)
    for name, found in mine.items():
        value = number(found, "value")
        if value is not None and name in theirs:
            other = theirs[name]
            yield Measured(
                name.replace("_", " "),
                value,
                *(number(found, end) for end in ("low", "high")),
                *(number(other, end) for end in ("value", "low", "high")),
            )


def _measured(facts: Facts) -> Mapping[str, Mapping[str, Any]]:
    """The metrics with intervals that the last step found; watches note plain numbers, too."""
    found: Mapping[str, Mapping[str, Any]] = {}
    for said in facts.values():
        named = said.get("metrics")
        pairs = named.items() if isinstance(named, Mapping) else ()
        measured = {str(name): one for name, one in pairs if isinstance(one, Mapping)}
        found = measured or found
    return found


def _parameters(facts: Facts) -> Mapping[str, Any]:
    given = (facts.get("run") or {}).get("parameters")
    named = {str(name): value for name, value in given.items()} if isinstance(given, dict) else {}
    family = saying(facts, "chosen_family").get("chosen_family")
    return {**named, **({"chosen family": family} if family else {})}


def _counts(facts: Facts) -> Mapping[str, Any]:
    read, split = saying(facts, "column_names"), saying(facts, "parts", "rule")
    places = {
        "rows read": (read, ("rows",)),
        "columns read": (read, ("columns",)),
        "rows to learn from": (split, ("parts", "train", "rows")),
        "rows to decide on": (split, ("parts", "holdout", "rows")),
        "slices worse than all rows": (saying(facts, "worse", "overall"), ("worse",)),
        "slices looked at": (saying(facts, "worse", "overall"), ("looked_at",)),
        "features": (saying(facts, "columns_used"), ("columns_used",)),
    }
    found = {what: number(source, *path) for what, (source, path) in places.items()}
    return {what: f"{value:,.0f}" for what, value in found.items() if value is not None}


def _told(now: Mapping[str, Any], then: Mapping[str, Any]) -> tuple[tuple[Told, ...], int]:
    names = list(dict.fromkeys([*now, *then]))
    told = tuple(
        Told(name.replace("_", " "), _short(now.get(name)), _short(then.get(name)))
        for name in names
        if now.get(name) != then.get(name)
    )
    return told, len(names) - len(told)


def _short(value: Any) -> str:
    text = "nothing" if value in (None, "", [], {}) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _worse(facts: Facts) -> set[str] | None:
    """The declared slices judged worse than all rows; None where no slice was looked at.

    Those that a search found have other borders in each pack: they are counted, not compared.
    """
    said = saying(facts, "worse", "slices")
    if not said:
        return None
    found = (row for row in rows(said, "slices") if row.get("verdict") == "worse")
    declared = (row for row in found if not row.get("found"))
    return {str(row.get("slice") or row.get("name") or "") for row in declared}
