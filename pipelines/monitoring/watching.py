"""How a model fares in use: measured windows, days of traffic, alerts. Nine queries at most."""

from dataclasses import dataclass
from datetime import datetime

from personas.models import User
from pipelines.monitoring.measured import Drift, Quality, measured_of
from pipelines.monitoring.models import Alert
from pipelines.monitoring.standing import AlertView, alert_views
from pipelines.registry.models import Model, ModelVersion
from pipelines.registry.queries import live_version
from pipelines.runs.queries.clock import now as read_clock
from pipelines.serving.daily import Days, days_of
from pipelines.usecases.models import UseCase


@dataclass(frozen=True)
class Watching:
    """Everything the monitor shows, as of `now`; `model` is None before the first version."""

    use_case: UseCase
    model: Model | None
    live: ModelVersion | None
    now: datetime
    drift: tuple[Drift, ...]
    quality: tuple[Quality, ...]
    traffic: Days
    alerts: tuple[AlertView, ...]

    @property
    def open_alerts(self) -> int:
        """How many alerts still ask for a response."""
        return sum(view.open for view in self.alerts)

    @property
    def alert_rows(self) -> tuple[Alert, ...]:
        """The alerts alone."""
        return tuple(view.alert for view in self.alerts)

    @property
    def answered(self) -> int:
        """What the model answered in the days shown."""
        return sum(day.by_model for day in self.traffic.days)

    @property
    def unlabelled(self) -> int:
        """Of these, the answers whose outcome is not known yet."""
        return sum(day.unlabelled for day in self.traffic.days)

    @property
    def last_quality(self) -> Quality | None:
        """The latest window whose quality could be judged."""
        return next((one for one in reversed(self.quality) if one.value is not None), None)


def watching(user: User, use_case: UseCase) -> Watching:
    """Return how the use case's model fares, for this person."""
    model = Model.objects.select_related("use_case").filter(use_case=use_case).first()
    drift, quality = measured_of(use_case)
    return Watching(
        use_case=use_case,
        model=model,
        live=live_version(model) if model else None,
        now=read_clock(),
        drift=drift,
        quality=quality,
        traffic=days_of(model) if model else Days((), is_cut=False),
        alerts=tuple(alert_views(user, model)) if model else (),
    )
