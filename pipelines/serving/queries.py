"""Reads of the prediction log and of labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, Max, Min, Q, QuerySet

from pipelines.registry.models import Deployment, Model
from pipelines.serving.models import Label, Prediction


@dataclass(frozen=True)
class Traffic:
    """What a deployment has answered so far; times are event times."""

    rows: int
    failed: int
    mean_score: float | None
    first_event: datetime | None
    last_event: datetime | None

    @property
    def span(self) -> timedelta | None:
        """The event time it covers."""
        if self.first_event is None or self.last_event is None:
            return None
        return self.last_event - self.first_event


def traffic_of(deployment: Deployment) -> Traffic:
    """Count what a deployment has answered."""
    found = Prediction.objects.filter(deployment=deployment).aggregate(
        rows=Count("id"),
        failed=Count("id", filter=Q(failed=True)),
        mean_score=Avg("score"),
        first_event=Min("event_time"),
        last_event=Max("event_time"),
    )
    return Traffic(**found)


def traffic_by_deployment(deployments: Sequence[Deployment]) -> dict[int, Traffic]:
    """Count what each of the deployments has answered, by id; one query."""
    nothing = Traffic(0, 0, None, None, None)
    found = (
        Prediction.objects.filter(deployment__in=deployments)
        .values("deployment")
        .order_by()
        .annotate(
            rows=Count("id"),
            failed=Count("id", filter=Q(failed=True)),
            mean_score=Avg("score"),
            first_event=Min("event_time"),
            last_event=Max("event_time"),
        )
    )
    counted = {
        row["deployment"]: Traffic(
            row["rows"],
            row["failed"],
            row["mean_score"],
            row["first_event"],
            row["last_event"],
        )
        for row in found
    }
    return {deployment.pk: counted.get(deployment.pk, nothing) for deployment in deployments}


def recent(model: Model) -> QuerySet[Prediction]:
    """Return the model's predictions, newest first, with their versions."""
    return Prediction.objects.filter(model=model).select_related("version").order_by("-id")


def labels_of(model: Model) -> QuerySet[Label]:
    """Return the model's labels, newest first."""
    return Label.objects.filter(model=model).order_by("-id")
