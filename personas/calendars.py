"""Business calendars: when a persona works, and deadlines counted in that time alone. Pure.

A calendar has opening hours per weekday in one time zone, and holidays. Days of a length are
working days (of the average length of an open weekday), hours and less are working time, so that
"P1D" given on Friday at 15:00 ends on Monday at 15:00. Daylight saving moves the clock on the wall,
never the amount of work: a night shift in which the clock jumps is an hour shorter or longer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES: Final = 24 * 60
MOST_HOLIDAYS: Final = 1000  # some thirty years of them; more would only slow every deadline down
NO_TIME: Final = timedelta(0)
ONE_DAY: Final = timedelta(days=1)

Span = tuple[int, int]  # minutes since midnight, the end not included; 1440 is midnight
Opening = tuple[datetime, datetime]


@dataclass(frozen=True)
class Calendar:
    """When work is done: seven weekdays of spans, in a zone, without the holidays.

    Raises ValueError where it is never open, or a span is empty, crossed or outside of its day.
    """

    zone: str
    week: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        problems = [*week_problems(self.week), *zone_problems(self.zone)]
        if problems:
            raise ValueError("; ".join(problems))

    @cached_property
    def day_length(self) -> timedelta:
        """The working time of one day of a length: the mean over the weekdays that are open."""
        lengths = [sum(end - start for start, end in spans) for spans in self.week if spans]
        return timedelta(minutes=sum(lengths)) / len(lengths)

    def working(self, length: timedelta) -> timedelta:
        """Return the working time that a length of a plan asks for: its days are working days."""
        return length.days * self.day_length + (length - timedelta(days=length.days))

    def due(self, start: datetime, length: timedelta) -> datetime:
        """Return when a length of a plan that begins at `start` is over."""
        return self.add(start, self.working(length))

    def add(self, start: datetime, work: timedelta) -> datetime:
        """Return the first moment (UTC) by which so much working time has passed since `start`.

        No time at all, or less, is over at once. Raises OverflowError beyond the year 9999.
        """
        start = start.astimezone(UTC)
        if work <= NO_TIME:
            return start
        for opens, closes in self.openings(start):
            if closes - opens >= work:
                return opens + work
            work -= closes - opens
        raise OverflowError("the calendar does not reach that far")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time from `start` to `end`; none where the end comes first."""
        end = end.astimezone(UTC)
        passed = NO_TIME
        for opens, closes in self.openings(start.astimezone(UTC)):
            if opens >= end:
                break
            passed += min(closes, end) - opens
        return passed

    def is_open(self, at: datetime) -> bool:
        """Whether work is done at this moment."""
        at = at.astimezone(UTC)
        opens, _ = next(self.openings(at), (None, None))
        return opens == at

    def openings(self, start: datetime) -> Iterator[Opening]:
        """Yield every opening (UTC) from `start` on, the first cut to it; they never overlap."""
        zone = ZoneInfo(self.zone)
        day = start.astimezone(zone).date()
        while day < date.max:
            if day not in self.holidays:
                for first, last in self.week[day.weekday()]:
                    opens, closes = _instant(zone, day, first), _instant(zone, day, last)
                    if closes > max(opens, start):
                        yield max(opens, start), closes
            day += ONE_DAY


def _instant(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """Return a time on the wall as an instant (UTC).

    One that comes twice is the first of both; one that daylight saving skips is its leap, so that
    later times on the wall are never earlier instants.
    """
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    first, second = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
    if second >= first:
        return first
    low, high = second, first  # the leap is in between: halve until it is known to the second
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


# --- Reading a calendar as people write it --------------------------------------------------------


def span_of(text: str) -> Span | None:
    """Return the span that "09:00-17:00" says ("24:00" is midnight), or None."""
    start, sign, end = text.partition("-")
    first, last = _minute(start), _minute(end)
    return None if not sign or first is None or last is None else (first, last)


def _minute(text: str) -> int | None:
    hour, sign, minute = text.strip().partition(":")
    digits = hour.isascii() and hour.isdigit() and minute.isascii() and minute.isdigit()
    if not sign or not digits or len(hour) > 2 or len(minute) != 2 or int(minute) > 59:
        return None
    found = int(hour) * 60 + int(minute)
    return found if found <= MINUTES else None


def span_text(span: Span) -> str:
    """Return how a span is written."""
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in span)


def week_of(hours: Mapping[str, Sequence[str]]) -> tuple[tuple[Span, ...], ...]:
    """Return the week that opening hours by weekday say. Raises ValueError naming what is wrong."""
    problems = hours_problems(hours)
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(
        tuple(sorted(span for text in hours.get(day, ()) if (span := span_of(text)) is not None))
        for day in WEEKDAYS
    )


def hours_problems(hours: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what is wrong with opening hours by weekday; all of it at once."""
    problems = [f"unknown weekday {day!r}" for day in hours if day not in WEEKDAYS]
    for day in WEEKDAYS:
        texts = hours.get(day, ())
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            problems.append(f"{day} must be a list of texts such as '09:00-17:00'")
            continue
        problems += [
            f"{day} must be spans such as '09:00-17:00', got {text!r}"
            for text in texts
            if span_of(text) is None
        ]
    if problems:
        return problems
    week = [sorted(filter(None, map(span_of, hours.get(day, ())))) for day in WEEKDAYS]
    return week_problems(week)


def week_problems(week: Sequence[Sequence[Span]]) -> list[str]:
    """Return what is wrong with seven weekdays of sorted spans."""
    if len(week) != len(WEEKDAYS):
        return [f"a week has {len(WEEKDAYS)} days, got {len(week)}"]
    problems = []
    for day, spans in zip(WEEKDAYS, week, strict=True):
        for first, last in spans:
            if not 0 <= first < last <= MINUTES:
                problems.append(f"{day} must open before it closes, got {span_text((first, last))}")
        for one, two in pairwise(spans):
            if two[0] < one[1]:
                problems.append(f"{day} has spans that overlap at {span_text(two)}")
    if not any(week):
        problems.append("at least one weekday must be open: nothing would ever be due")
    return problems


def zone_problems(zone: str) -> list[str]:
    """Return what is wrong with the name of a time zone."""
    return [] if zone in _zones() else [f"unknown time zone {zone!r}; such as Europe/Berlin"]


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


OFFICE: Final[Mapping[str, list[str]]] = {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}
# Whoever keeps a service running shares the day's edges; nights are an installation's own choice.
SERVICE: Final[Mapping[str, list[str]]] = {day: ["07:00-19:00"] for day in WEEKDAYS[:5]}
DEFAULT_ZONE: Final = "UTC"


def default_hours(persona: str) -> dict[str, list[str]]:
    """Return the hours that a persona's calendar starts with."""
    return dict(SERVICE if persona == "OPS" else OFFICE)


@lru_cache(maxsize=64)
def default_calendar(persona: str) -> Calendar:
    """Return the calendar of a persona for which the table has none yet."""
    return Calendar(DEFAULT_ZONE, week_of(default_hours(persona)))
