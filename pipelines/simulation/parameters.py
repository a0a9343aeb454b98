"""Every parameter of the simulated team, in one table. Pure.

All figures are our own convention, chosen for plausible shapes and not measured on a real team; who
knows better changes them here (docs/simulation.md says what each does). Durations of people are
working time, of machines calendar time. Lognormal throughout: positive, skewed, most short.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final


@dataclass(frozen=True)
class Spread:
    """A lognormal length of time: its median, and what nine of ten stay below."""

    median: timedelta
    p90: timedelta


def minutes(median: float, p90: float) -> Spread:
    """Return a spread given in minutes."""
    return Spread(timedelta(minutes=median), timedelta(minutes=p90))


def hours(median: float, p90: float) -> Spread:
    """Return a spread given in hours."""
    return Spread(timedelta(hours=median), timedelta(hours=p90))


# Work on one form or statement of a stage.
ITEM: Final[Mapping[str, Spread]] = {
    "frame": hours(1.5, 4.0),
    "source": hours(3.0, 8.0),
    "explore": hours(3.0, 8.0),
    "features": hours(2.0, 6.0),
    "evaluate": hours(2.0, 5.0),
    "operationalise": hours(3.0, 8.0),
    "register": hours(1.5, 4.0),
    "deploy": hours(2.0, 6.0),
    "serve": hours(1.0, 3.0),
    "monitor": hours(2.0, 5.0),
}
NOTICE, DECIDE, RESOLVE = hours(0.7, 4.0), hours(0.6, 2.5), hours(1.5, 5.0)
ACCEPT, OFFER, ATTEND = minutes(20, 90), minutes(25, 90), minutes(20, 120)
HELP, MINUTES = hours(0.7, 3.0), minutes(2, 8)
# Computing by step; what is not named takes the default.
MACHINE: Final[Mapping[str, Spread]] = {
    "ingest": minutes(6, 20),
    "profile": minutes(3, 10),
    "linear": minutes(4, 12),
    "search": minutes(45, 150),
    "retrain": minutes(15, 45),
    "shadow": hours(20, 48),
    "canary": hours(30, 72),
    "traffic": hours(24, 60),
    "quality": hours(24, 72),
}
# Why reviewers and receivers send a stage back, each code as likely; the words are gates'.
RETURN_CODES: Final[Mapping[str, tuple[str, ...]]] = {
    "frame": ("unclear", "value", "incomplete"),
    "source": ("data_problem", "incomplete", "unclear"),
    "explore": ("leakage", "data_problem", "unclear"),
    "features": ("not_available", "leakage", "data_problem"),
    "evaluate": ("quality", "fairness", "leakage", "unclear"),
    "operationalise": ("incomplete", "quality", "other"),
    "register": ("incomplete", "unclear", "quality"),
    "deploy": ("incomplete", "quality", "other"),
    "serve": ("incomplete", "unclear"),
    "monitor": ("unclear", "data_problem", "incomplete"),
}


@dataclass(frozen=True)
class Machine:
    """Workers: how many at once, how long, and how they fail."""

    lanes: int = 4
    default: Spread = MINUTES
    by_step: Mapping[str, Spread] = field(default_factory=lambda: MACHINE)
    retryable: float = 0.03  # tried again by itself, until the budget is used up
    final: float = 0.012  # a person has to say "again"
    lost: float = 0.005  # the worker dies; the sweeper notices when the lease is over
    timed_out: float = 0.003
    red: float = 0.04  # of contract steps: the package does not load, and its sender tries again
    lease: timedelta = timedelta(seconds=60)


@dataclass(frozen=True)
class Verdicts:
    """Chances in a gate, in the first round; in each later one changes are half as likely."""

    request_changes: float = 0.18
    reject: float = 0.015
    abstain: float = 0.02
    conditions: float = 0.12
    elsewhere: float = 0.25  # of changes: sent to an earlier stage than the one under review
    finding_days: tuple[int, int] = (5, 20)
    finding_late: float = 0.12  # of findings: resolved after they were due, if at all


@dataclass(frozen=True)
class HandOffs:
    """Chances of a hand-off's ends that are no acceptance."""

    returned: float = 0.07
    withdrawn: float = 0.015


@dataclass(frozen=True)
class Items:
    """What happens to work items between being opened and being completed."""

    draft: float = 0.5
    hold: float = 0.05
    hold_days: tuple[int, int] = (1, 4)
    delegate: float = 0.04  # where a second person has a seat
    help: float = 0.06
    help_work: Spread = HELP


@dataclass(frozen=True)
class Absences:
    """Holidays and illness: per person, over the simulated time."""

    every: timedelta = timedelta(days=45)  # on average one in this time
    days: tuple[int, int] = (1, 10)
    deputy: float = 0.85  # a deputy is named


@dataclass(frozen=True)
class Runs:
    """What happens to runs as a whole."""

    start_share: float = 0.6  # use cases begin spread over this part of the simulated time
    pause: float = 0.06
    pause_days: tuple[int, int] = (1, 8)
    cancel: float = 0.05
    give_up: float = 0.04  # of steps that failed for good: instead of another try
    retrain: float = 0.4  # of runs that succeeded: the next run of the same use case
    retrain_after: Spread = Spread(timedelta(days=10), timedelta(days=30))
    second_seat: float = 0.3  # of seats: a second person holds it, too


@dataclass(frozen=True)
class Parameters:
    """All of it. `notice` runs from the moment something waits until its person turns to it."""

    begins: datetime = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
    notice: Spread = NOTICE
    decide: Spread = DECIDE
    accept: Spread = ACCEPT
    offer: Spread = OFFER
    attend: Spread = ATTEND
    resolve: Spread = RESOLVE
    item: Mapping[str, Spread] = field(default_factory=lambda: ITEM)
    machine: Machine = Machine()
    verdicts: Verdicts = Verdicts()
    hand_offs: HandOffs = HandOffs()
    items: Items = Items()
    absences: Absences = Absences()
    runs: Runs = Runs()
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: RETURN_CODES)
