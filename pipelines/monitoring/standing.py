"""How a model stands: its versions, what is deployed with its traffic, aliases, alerts, rights.

Eleven queries besides the model itself, which the edges fetch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from personas.errors import DomainError, NotAllowed
from personas.models import User
from pipelines.lifecycles import AlertState
from pipelines.monitoring import policies as monitoring
from pipelines.monitoring.models import Alert
from pipelines.monitoring.queries import alerts
from pipelines.registry import policies as registry
from pipelines.registry.models import (
    CANARY,
    LIVE,
    SHADOW,
    AliasMove,
    Deployment,
    Model,
    ModelVersion,
)
from pipelines.registry.queries import alias_history, deployments_of, models, versions_of
from pipelines.runs.queries.clock import now as read_clock
from pipelines.serving.models import Label, Prediction
from pipelines.serving.queries import Traffic, traffic_by_deployment

MOST_VERSIONS = 30
MOST_DEPLOYMENTS = 30
MOST_MOVES = 20
MOST_ALERTS = 20
ORDER = {LIVE: 0, CANARY: 1, SHADOW: 2}
# The run's parameters that say how much each mode has to answer before it may go on.
NEEDS = {SHADOW: "shadow_predictions", CANARY: "canary_predictions", LIVE: "serving_predictions"}


@dataclass(frozen=True)
class DeployedView:
    """What answers now, how much it has answered, and how much its run asks for."""

    deployment: Deployment
    traffic: Traffic
    needed: int | None
    needed_hours: float | None


@dataclass(frozen=True)
class AlertView:
    """An alert, and why the reader may not answer it (None: they may)."""

    alert: Alert
    refusal: DomainError | None

    @property
    def open(self) -> bool:
        """Whether it still asks for a response."""
        return self.alert.state != AlertState.RESOLVED


@dataclass(frozen=True)
class Input:
    """One input of the signature; `example` is what was asked last."""

    name: str
    type: str
    example: Any


@dataclass(frozen=True)
class Standing:
    """Everything the page of a model shows, as of `now`."""

    model: Model
    now: datetime
    versions: Sequence[ModelVersion]
    deployed: tuple[DeployedView, ...]
    ended: tuple[Deployment, ...]
    aliases: Sequence[AliasMove]
    alerts: tuple[AlertView, ...]
    labels: int
    inputs: tuple[Input, ...]
    not_rolling_back: DomainError | None
    not_predicting: DomainError | None

    @property
    def answering(self) -> DeployedView | None:
        """What answers callers: live, else the canary; None where only the fallback does."""
        modes = (LIVE, CANARY)
        return next((view for view in self.deployed if view.deployment.mode in modes), None)

    @property
    def open_alerts(self) -> int:
        """How many alerts still ask for a response."""
        return sum(view.open for view in self.alerts)


def standing(user: User, model: Model) -> Standing:
    """Return how a model stands, for this person."""
    versions = list(versions_of(model)[:MOST_VERSIONS])
    deployments = list(deployments_of(model).select_related("run")[:MOST_DEPLOYMENTS])
    open_ones = [one for one in deployments if one.ended_at is None]
    traffic = traffic_by_deployment(open_ones)
    deployed = [_deployed(one, traffic[one.pk]) for one in open_ones]
    return Standing(
        model=model,
        now=read_clock(),
        versions=versions,
        deployed=tuple(sorted(deployed, key=lambda view: ORDER[view.deployment.mode])),
        ended=tuple(one for one in deployments if one.ended_at is not None),
        aliases=list(alias_history(model)[:MOST_MOVES]),
        alerts=tuple(alert_views(user, model)),
        labels=Label.objects.filter(model=model).count(),
        inputs=tuple(_inputs(model, versions, open_ones)),
        not_rolling_back=_not_rolling_back(user, model, open_ones),
        not_predicting=registry.not_predicting(user, model),
    )


def _deployed(deployment: Deployment, traffic: Traffic) -> DeployedView:
    given: Mapping[str, Any] = deployment.run.parameters if deployment.run else {}
    needed, hours = given.get(NEEDS[deployment.mode]), given.get("canary_hours")
    return DeployedView(
        deployment,
        traffic,
        needed=needed if isinstance(needed, int) else None,
        needed_hours=float(hours)
        if deployment.mode == CANARY and isinstance(hours, int | float) and hours
        else None,
    )


def alert_views(user: User, model: Model) -> list[AlertView]:
    """Return the latest alerts, each with why the reader may not answer it."""
    found = list(alerts(user).filter(model=model)[:MOST_ALERTS])
    rules: dict[str, NotAllowed | None] = {}
    for alert in found:
        if alert.persona_id not in rules:  # the rule depends on the alert's persona alone
            rules[alert.persona_id] = monitoring.not_answering(user, alert)
    return [AlertView(alert, rules[alert.persona_id]) for alert in found]


def _inputs(
    model: Model, versions: Sequence[ModelVersion], deployed: Sequence[Deployment]
) -> list[Input]:
    """The inputs of the version that answers, with the row that was asked last as an example."""
    by_id = {version.pk: version for version in versions}
    first = next(iter(sorted(deployed, key=lambda one: ORDER[one.mode])), None)
    version = by_id.get(first.version_id) if first else None
    types = (version.facts.get("types") or {}) if version else {}
    order = (version.facts.get("columns") or list(types)) if version else []
    last = Prediction.objects.filter(model=model).order_by("-id").values_list("inputs").first()
    example = last[0] if last else {}
    return [Input(name, str(types.get(name, "string")), example.get(name)) for name in order]


def _not_rolling_back(
    user: User, model: Model, deployed: Sequence[Deployment]
) -> DomainError | None:
    if not any(one.mode in (CANARY, LIVE) for one in deployed):
        return NotAllowed("nothing_deployed", "Nothing answers callers, so there is no way back.")
    return registry.not_rolling_back(user, model)


def portfolio(user: User) -> list[Model]:
    """Return the models this person may see, with counts of versions and open alerts."""
    waiting = Count("alerts", filter=~Q(alerts__state=AlertState.RESOLVED), distinct=True)
    return list(
        models(user)
        .annotate(version_count=Count("versions", distinct=True), open_alerts=waiting)
        .order_by("name")
    )
