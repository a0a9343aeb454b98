"""The 26 worries as pages show them: the radar, and the table in a persona's voice."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from personas.models import User
from personas.people import PERSONAS
from pipelines.checks.worries.catalogue import GROUPS
from pipelines.checks.worries.looking import LEVELS
from pipelines.readiness.radar import MIDDLE, SLUGS, Radar, draw, mark
from pipelines.readiness.worries import WorryResult


@dataclass(frozen=True)
class Mark:
    """The outline of a level, and the class that colours it."""

    slug: str
    outline: str


@dataclass(frozen=True)
class Line:
    """One worry as a row of the table."""

    result: WorryResult
    mark: Mark
    meaning: str

    @property
    def columns(self) -> str:
        """The first columns concerned."""
        named = self.result.columns
        more = f" and {len(named) - 6} more" if len(named) > 6 else ""
        return ", ".join(named[:6]) + more

    @property
    def examples(self) -> str:
        """A few rows, by key where there is one."""
        return ", ".join(_row(row) for row in self.result.examples[:3] if row)


@dataclass(frozen=True)
class Picture:
    """Everything the page shows of the worries."""

    radar: Radar
    legend: tuple[tuple[str, int, Mark], ...]
    groups: tuple[tuple[str, tuple[Line, ...]], ...]
    voice: str
    voices: tuple[Any, ...]
    middle: float = MIDDLE


def picture(results: Sequence[WorryResult], user: User, voice: str = "") -> Picture:
    """Drawn and told for `voice`, else for the first persona that the reader has."""
    codes = [one.code for one in PERSONAS]
    if voice not in codes:
        own = set(user.personas.values_list("code", flat=True))
        voice = next((code for code in codes if code in own), codes[0])
    counts = Counter(result.level for result in results)
    lines = {one.worry.id: _line(one, voice) for one in results}
    return Picture(
        radar=draw(results),
        legend=tuple((level, counts[level], _mark(level)) for level in LEVELS),
        groups=tuple(
            (group, tuple(lines[one.worry.id] for one in results if one.worry.group == group))
            for group in GROUPS
        ),
        voice=voice,
        voices=tuple(PERSONAS),
    )


def _line(result: WorryResult, voice: str) -> Line:
    return Line(result, _mark(result.level), result.meaning[voice])


def _mark(level: str) -> Mark:
    return Mark(SLUGS[level], mark(level))


def _row(row: dict[str, Any]) -> str:
    name = str(row["key"]) if row.get("key") not in (None, "") else f"row {row.get('row')}"
    value = row.get("value")
    return f"{name} ({value})" if value is not None else name
