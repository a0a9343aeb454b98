"""The row form of one transforming stage: a list of values in, a list of floats out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

Value: TypeAlias = bool | int | float | str | None
Values: TypeAlias = Sequence[Value]
Number: TypeAlias = Callable[[float], float]


class NotCompilableError(Exception):
    """The pipeline has a part without a row form; it is served as it is."""


@dataclass(frozen=True)
class Table:
    """Outputs of one encoded column by category; `unknown` is what the encoder gives others."""

    source: int
    at: tuple[int, ...]
    known: Mapping[Value, tuple[float, ...]]
    missing: tuple[float, ...]
    unknown: tuple[float, ...]

    def fill(self, vector: list[float], values: Values) -> None:
        """Write the outputs of the column's value."""
        value = values[self.source]
        if value is None or value != value:
            found = self.missing
        else:
            found = self.known.get(value, self.unknown)
        for at, number in zip(self.at, found, strict=True):
            vector[at] = number


@dataclass(frozen=True)
class Chain:
    """Output of one numeric column: the missing value's replacement, then the float steps."""

    source: int
    at: int
    missing: float = math.nan
    steps: tuple[Number, ...] = ()
    flag_at: int | None = None

    def fill(self, vector: list[float], values: Values) -> None:
        """Write the number, and the flag of a missing one."""
        value = values[self.source]
        number = math.nan if value is None else float(value)
        if number - number != 0.0:  # not a number, or infinite: counts as missing
            if self.flag_at is not None:
                vector[self.flag_at] = 1.0
            number = self.missing
        for step in self.steps:
            number = step(number)
        vector[self.at] = number


PARTS: Mapping[str, Callable[[datetime], int]] = {
    "month": lambda moment: moment.month,
    "day": lambda moment: moment.day,
    "weekday": lambda moment: moment.weekday(),
    "day_of_week": lambda moment: moment.weekday(),
    "hour": lambda moment: moment.hour,
}


@dataclass(frozen=True)
class Parts:
    """Outputs of one date column, in UTC; a missing date gives missing parts."""

    source: int
    at: tuple[int, ...]
    parts: tuple[Callable[[datetime], int], ...]

    def fill(self, vector: list[float], values: Values) -> None:
        """Write the parts of the date."""
        value = values[self.source]
        if not isinstance(value, str):
            for at in self.at:
                vector[at] = math.nan
            return
        moment = datetime.fromisoformat(value)
        # A time without an offset is UTC, as in training.
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        for at, part in zip(self.at, self.parts, strict=True):
            vector[at] = float(part(moment))


class Filler(Protocol):
    """Writes what one or more columns of a row become into the stage's vector."""

    def fill(self, vector: list[float], values: Values) -> None: ...


@dataclass(frozen=True)
class Stage:
    """All columns of one fitted transformer."""

    width: int
    fillers: tuple[Filler, ...]

    def __call__(self, values: Values) -> list[float]:
        """The outputs of one row."""
        vector = [0.0] * self.width
        for filler in self.fillers:
            filler.fill(vector, values)
        return vector
