"""The workshop, for who runs Baton: workers, queues, runs by state, what is lost, what is stuck.

Ten queries. Ages are in seconds by the database's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, Exists, Max, Min, OuterRef, Q
from django.db.models.functions import Cast, Left

from pipelines.brought import Brought
from pipelines.catalogue import brought_operations
from pipelines.confinement import missing
from pipelines.lifecycles import (
    ATTEMPT,
    GATE,
    HAND_OFF,
    WORK_ITEM,
    AttemptState,
    RunState,
    StepState,
)
from pipelines.runs.health import EngineFigures, LongTransaction, figures, long_transactions
from pipelines.runs.models import Attempt, Gate, HandOff, Run, Step, WorkerPresence, WorkItem
from pipelines.runs.presence import alive
from pipelines.runs.queries.clock import now

SEEN_FOR = timedelta(hours=1)
LOST_FOR = timedelta(days=1)
STILL_FOR = timedelta(minutes=1)
MOST = 20


@dataclass(frozen=True)
class WorkerSeen:
    """One incarnation of a worker: what it does now, what it did within the hour."""

    name: str
    incarnation: str
    running: int
    finished: int
    last_heard: datetime | None
    silent: bool


@dataclass(frozen=True)
class QueueSeen:
    """One queue: how much waits, since when, and how much nobody was woken for."""

    name: str
    waiting: int
    oldest_seconds: float
    unpoked: int
    lacks: str


@dataclass(frozen=True)
class Served:
    """A living worker, and what it offers."""

    name: str
    queues: tuple[str, ...]
    lanes: int
    seen_at: datetime
    packages: tuple[Mapping[str, Any], ...] = ()
    not_enforced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workshop:
    """All of it, as of `now`."""

    now: datetime
    workers: list[WorkerSeen]
    queues: list[QueueSeen]
    served: list[Served]
    runs: list[tuple[str, int]]
    lost: list[Attempt]
    stuck: list[Run]
    engine: EngineFigures
    brought: list[Brought]  # as this process finds them installed
    long: list[LongTransaction]


def workshop() -> Workshop:
    """Return the state of the workshop."""
    moment = now()
    return Workshop(
        now=moment,
        workers=_workers(moment),
        queues=_queues(moment),
        served=_served(moment),
        runs=_runs(),
        lost=_lost(moment),
        stuck=stuck_runs(moment),
        engine=figures(),
        brought=brought_operations(),
        long=long_transactions(),
    )


def _workers(moment: datetime) -> list[WorkerSeen]:
    running = Q(state=AttemptState.RUNNING)
    recent = running | Q(finished_at__gte=moment - SEEN_FOR)
    rows = (
        Attempt.objects.filter(recent, cached_from=None)
        .exclude(worker="")
        .annotate(start=Left(Cast("owner", CharField()), 8))
        .values("worker", "start")
        .annotate(
            running=Count("id", filter=running),
            finished=Count("id", filter=~running),
            lease=Max("lease_until", filter=running),
            last=Max("finished_at"),
        )
        .order_by("worker", "start")
    )
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    return [
        WorkerSeen(
            name=row["worker"],
            incarnation=row["start"] or "",
            running=row["running"],
            finished=row["finished"],
            # Every heartbeat moves the lease to its own time plus the lease's length.
            last_heard=row["lease"] - lease if row["lease"] else row["last"],
            silent=row["lease"] is not None and row["lease"] < moment,
        )
        for row in rows
    ]


def _queues(moment: datetime) -> list[QueueSeen]:
    rows = (
        Attempt.objects.filter(state=AttemptState.QUEUED, due_at__lte=moment)
        .values("queue")
        .annotate(waiting=Count("id"), oldest=Min("due_at"), unpoked=Count("id", Q(poked_at=None)))
        .order_by("queue")
    )
    offers = alive()
    return [
        QueueSeen(
            name=row["queue"],
            waiting=row["waiting"],
            oldest_seconds=(moment - row["oldest"]).total_seconds(),
            unpoked=row["unpoked"],
            lacks=offers.lacks(row["queue"]),
        )
        for row in rows
    ]


def _served(moment: datetime) -> list[Served]:
    rows = WorkerPresence.objects.filter(left_at=None, alive_until__gt=moment).order_by("name")
    return [
        Served(
            name=row.name,
            queues=tuple(row.queues),
            lanes=row.lanes,
            seen_at=row.seen_at,
            packages=tuple(row.packages),
            not_enforced=tuple(missing(row.enforces)) if row.enforces else (),
        )
        for row in rows
    ]


def _runs() -> list[tuple[str, int]]:
    counted = dict(Run.objects.order_by().values_list("state").annotate(Count("id")))
    return [(str(state), counted[state]) for state in RunState if state in counted]


def _lost(moment: datetime) -> list[Attempt]:
    rows = Attempt.objects.filter(
        state=AttemptState.LOST, finished_at__gte=moment - LOST_FOR
    ).select_related("step__stage", "run__use_case")
    return list(rows.defer("facts", "outputs", "inputs", "log").order_by("-finished_at")[:MOST])


def stuck_runs(moment: datetime) -> list[Run]:
    """Return running runs in which nothing is open that a worker or a person could act on."""
    of_run = {"run": OuterRef("pk")}
    rows = Run.objects.filter(
        ~Exists(Attempt.objects.filter(**of_run, state__in=ATTEMPT.open)),
        ~Exists(Step.objects.filter(**of_run, state=StepState.RETRY_WAIT)),
        ~Exists(WorkItem.objects.filter(**of_run, state__in=WORK_ITEM.open)),
        ~Exists(Gate.objects.filter(**of_run, state__in=GATE.open)),
        ~Exists(HandOff.objects.filter(**of_run, state__in=HAND_OFF.open)),
        state=RunState.RUNNING,
        moved_at__lt=moment - STILL_FOR,
    )
    return list(rows.select_related("use_case").order_by("moved_at")[:MOST])
