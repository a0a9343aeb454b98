"""DORA's five metrics for a model, with time to detect drift and label lag. [F7]; mapping own.

One model at a time and no ranking of teams: these are for who owns the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pipelines.insights.flow.measures import Share
from pipelines.insights.flow.records import Window
from pipelines.insights.flow.spread import Spread, spread

SOON: Final = timedelta(days=7)  # [F7], own: a failure this soon counts against the change
MONTH: Final = 30.44  # days


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A version made live. `available`: when its run, with the data it learned from, began;
    `answers_alert`: the run was opened by an alert; `rolled_back`: ended by taking it back.
    """

    id: int
    model: str
    version: int
    registered: datetime
    available: datetime | None
    started: datetime
    ended: datetime | None = None
    rolled_back: bool = False
    answers_alert: bool = False


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An alert of a model. `onset`: the end of the last quiet window, or when what is watched
    began to answer: the earliest time at which what it found can have begun.
    """

    id: int
    model: str
    severity: str
    raised: datetime
    onset: datetime | None = None


@dataclass(frozen=True, slots=True)
class ModelFlow:
    """The metrics of one model in the window; `n` deployments.

    `lead`: candidate registered to serving; `data_lead`: its run, with new data, begun to serving;
    `recovery`: alert to roll-back; `failed`: rolled back, or a red alert within 7 days; `rework`:
    made by a run that an alert opened; `detect`: onset to alert; `label_lag`: answer to label.
    """

    model: str
    n: int
    per_month: float
    lead: Spread
    data_lead: Spread
    recovery: Spread
    failed: Share
    rework: Share
    detect: Spread
    label_lag: Spread
    deployments: tuple[int, ...] = ()
    alerts: tuple[int, ...] = ()


def model_flows(
    deployments: Sequence[DeploymentRecord],
    alerts: Sequence[AlertRecord],
    label_lags: dict[str, Spread],
    window: Window,
) -> tuple[ModelFlow, ...]:
    """Return the metrics of every model, by name."""
    names = sorted({d.model for d in deployments} | {a.model for a in alerts} | set(label_lags))
    return tuple(
        model_flow(
            name,
            [d for d in deployments if d.model == name],
            [a for a in alerts if a.model == name],
            label_lags.get(name, Spread(0)),
            window,
        )
        for name in names
    )


def model_flow(
    model: str,
    deployments: Sequence[DeploymentRecord],
    alerts: Sequence[AlertRecord],
    label_lag: Spread,
    window: Window,
) -> ModelFlow:
    """Return the metrics of one model."""
    new = [one for one in deployments if window.has(one.started)]
    raised = [one for one in alerts if window.has(one.raised)]
    recoveries = (recovery(alert, deployments) for alert in raised)
    months = window.days / MONTH
    return ModelFlow(
        model=model,
        n=len(new),
        per_month=len(new) / months if months else 0.0,
        lead=spread(one.started - one.registered for one in new),
        data_lead=spread(one.started - one.available for one in new if one.available),
        recovery=spread(recoveries),
        failed=Share(sum(1 for one in new if failed(one, alerts)), len(new)),
        rework=Share(sum(1 for one in new if one.answers_alert), len(new)),
        detect=spread(
            max(one.raised - one.onset, timedelta(0)) for one in raised if one.onset is not None
        ),
        label_lag=label_lag,
        deployments=tuple(one.id for one in new),
        alerts=tuple(one.id for one in raised),
    )


def failed(deployment: DeploymentRecord, alerts: Sequence[AlertRecord]) -> bool:
    """Whether it was rolled back, or a red alert came, within seven days. [F7] change fail rate"""
    until = deployment.started + SOON
    if deployment.rolled_back and deployment.ended is not None and deployment.ended <= until:
        return True
    end = min(deployment.ended or until, until)
    return any(one.severity == "red" and deployment.started < one.raised <= end for one in alerts)


def recovery(alert: AlertRecord, deployments: Sequence[DeploymentRecord]) -> timedelta | None:
    """Return how long from the alert to the roll-back of what was live; None where none came."""
    for one in deployments:
        if one.ended is None or not one.rolled_back:
            continue
        if one.started <= alert.raised <= one.ended:
            return one.ended - alert.raised
    return None
