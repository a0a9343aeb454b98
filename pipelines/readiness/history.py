"""The Test Score over time: kept when the points of a test change, read for pages and the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from personas.commands import Command
from pipelines.readiness.models import Attestation, Point
from pipelines.readiness.queries import Readiness
from pipelines.usecases.models import UseCase

MOST_POINTS: Final = 200
MOST_ENDED: Final = 50
LONGEST_REASON: Final = 240


@dataclass(frozen=True)
class History:
    """Points in time, oldest first; `first` is the very first, though the list may begin later."""

    first: Point | None
    points: tuple[Point, ...]

    @property
    def last(self) -> Point | None:
        """The latest one."""
        return self.points[-1] if self.points else None


def keep(command: Command, found: Readiness) -> bool:
    """Write a point where any test's points differ from those of the last; returns whether.

    Under the lock of the use case's look, so no two are written for one change.
    """
    points = {result.test.id: result.finding.points for result in found.tests}
    last = Point.objects.filter(use_case=found.use_case).order_by("-id").first()
    before: dict[str, float] = last.points if last else {}
    if last is not None and before == points:
        return False
    changes = changes_of(before, found) if last else []
    Point.objects.create(
        use_case=found.use_case,
        at=command.now,
        run=found.run,
        score=found.score,
        sections={section.key: section.points for section in found.sections},
        points=points,
        changes=changes,
    )
    command.recorder.record(
        found.use_case.stream,
        "readiness.changed",
        subject=("use_case", found.use_case.pk),
        data={
            "before": last.score if last else None,
            "score": found.score,
            "tests": {one["test"]: [one["before"], one["after"]] for one in changes},
        },
    )
    return True


def changes_of(before: dict[str, float], found: Readiness) -> list[dict[str, Any]]:
    """Return which tests changed: from what to what, and by which evidence."""
    return [
        {
            "test": result.test.id,
            "title": result.test.title,
            "before": before.get(result.test.id, 0.0),
            "after": result.finding.points,
            "basis": result.finding.basis,
            "because": result.finding.text[:LONGEST_REASON],
        }
        for result in found.tests
        if before.get(result.test.id, 0.0) != result.finding.points
    ]


def history(use_case: UseCase) -> History:
    """Return the score over time: two queries."""
    rows = Point.objects.filter(use_case=use_case).select_related("run")
    latest = tuple(reversed(rows.order_by("-id")[:MOST_POINTS]))
    whole = len(latest) < MOST_POINTS
    first = (latest[0] if latest else None) if whole else rows.order_by("id").first()
    return History(first, latest)


def attestations(use_case: UseCase) -> Sequence[Attestation]:
    """Return the latest statements, newest first: who signed, and what ended them. One query."""
    rows = Attestation.objects.filter(use_case=use_case)
    return list(rows.select_related("user", "ended_by", "run").order_by("-id")[:MOST_ENDED])
