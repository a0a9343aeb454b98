"""Reads of notifications: only of use cases that the reader may still see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from django.db.models import Q, QuerySet

from personas.models import User
from pipelines.notifications.models import Notification, Preferences
from pipelines.notifications.wording import Line, line_of
from pipelines.usecases.policies import visible

MOST_COUNTED: Final = 99
PAGE: Final = 100


@dataclass(frozen=True)
class Group:
    """What happened on one day in one use case; no title where it concerns none."""

    title: str
    key: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Day:
    """One day on the reader's calendar."""

    day: date
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Part:
    """Days, newest first; with `older`, there are more before this row."""

    key: str
    days: tuple[Day, ...]
    count: int
    older: int | None


def seen_by(user: User) -> QuerySet[Notification]:
    """Return the person's notifications but those of use cases they may no longer see."""
    mine = Notification.objects.filter(user=user)
    if user.can("read_all"):
        return mine
    return mine.filter(Q(use_case=None) | Q(use_case__in=visible(user)))


def unread(user: User) -> int:
    """Return how many the person has not read: exactly to 99, 100 for all beyond."""
    return seen_by(user).filter(read_at=None).order_by()[: MOST_COUNTED + 1].count()


def part(user: User, key: str, *, kind: str = "", before: int | None = None) -> Part:
    """Return the "new" (unread) or the "read" ones, by day and use case, `PAGE` at most."""
    rows = seen_by(user).filter(read_at__isnull=key == "new")
    if kind:
        rows = rows.filter(kind=kind)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.select_related("use_case", "user").order_by("-id")[: PAGE + 1])
    shown = [line_of(row) for row in found[:PAGE]]
    older = shown[-1].pk if len(found) > PAGE else None
    return Part(key, _by_day(shown, user), len(shown), older)


def _by_day(lines: Sequence[Line], user: User) -> tuple[Day, ...]:
    tz = Preferences().habits(user.time_zone).tz
    by_day = sorted(lines, key=lambda line: line.created_at, reverse=True)
    days = groupby(by_day, key=lambda line: line.created_at.astimezone(tz).date())
    return tuple(Day(day, _by_use_case(of_day)) for day, of_day in days)


def _by_use_case(lines: Iterable[Line]) -> tuple[Group, ...]:
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.use_case, line.use_case_key), []).append(line)
    return tuple(Group(title, key, tuple(found)) for (title, key), found in groups.items())


def preferences_of(user: User) -> Preferences:
    """Return how the person wishes to be told; the defaults where they never said."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)
