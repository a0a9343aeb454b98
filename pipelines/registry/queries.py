"""Reads of models, versions, deployments and aliases."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from personas.errors import NotFound
from personas.models import User
from pipelines.lifecycles import GateState, ModelVersionState
from pipelines.registry import policies
from pipelines.registry.models import LIVE, AliasMove, Deployment, Model, ModelVersion
from pipelines.runs.models import Gate


def models(user: User) -> QuerySet[Model]:
    """Return the models this person may see, with use case and what is deployed now."""
    return policies.visible(user).select_related("use_case").prefetch_related(_deployed())


def _deployed() -> "Prefetch[str]":
    now = Deployment.objects.filter(ended_at=None).select_related("version", "approval")
    return Prefetch("deployments", queryset=now, to_attr="deployed")


def model_named(name: str) -> Model:
    """Return the model of this name with its use case; raises NotFound."""
    model = Model.objects.select_related("use_case").filter(name=name).first()
    if model is None:
        raise NotFound("model", f"There is no model {name!r}.")
    return model


def versions_of(model: Model) -> QuerySet[ModelVersion]:
    """Return the versions, newest first, with run and approving gate.

    `overridden`: whether any gate of its run was approved against its rules; it stays for ever.
    """
    forced = Gate.objects.filter(run=OuterRef("run"), overridden=True, state=GateState.APPROVED)
    rows = model.versions.select_related("run__use_case", "approval", "package", "registered_by")
    return rows.annotate(overridden=Exists(forced))


def deployments_of(model: Model) -> QuerySet[Deployment]:
    """Return all deployments, newest first, with version, gate and people."""
    return model.deployments.select_related("version", "approval", "started_by", "ended_by")


def answering(model: int | None = None) -> list[Deployment]:
    """Return every deployment that may answer or score now, of all models or of one.

    A version that was never approved, or is retired, is left out: it is refused, whatever is
    deployed. One whose approval lapsed goes on: taking it away is a person's decision.
    """
    served = (ModelVersionState.APPROVED, ModelVersionState.LAPSED)
    found = Deployment.objects.filter(ended_at=None, version__state__in=served)
    if model is not None:
        found = found.filter(model=model)
    return list(found.select_related("model__use_case", "version", "approval").order_by("id"))


def live_version(model: Model) -> ModelVersion | None:
    """Return the version that answers all callers now, or None."""
    found = model.deployments.filter(ended_at=None, mode=LIVE).select_related("version").first()
    return found.version if found else None


def runs_that_answer() -> QuerySet[Deployment, Any]:
    """Return the ids of the runs whose models answer all callers now, for use inside a query."""
    return Deployment.objects.filter(ended_at=None, mode=LIVE).values("version__run")


def live_at(model: Model, moment: datetime) -> Deployment | None:
    """Return what was live at a moment: "what answered on 3 May?"."""
    return (
        model.deployments.filter(mode=LIVE, started_at__lte=moment)
        .filter(Q(ended_at=None) | Q(ended_at__gt=moment))
        .select_related("version", "approval")
        .order_by("-started_at")
        .first()
    )


def alias_history(model: Model) -> QuerySet[AliasMove]:
    """Return where the model's aliases pointed, newest first."""
    return model.alias_moves.select_related("version", "by").order_by("-at", "-id")
