"""The effect of a measured window: alerts, and the run that answers them."""

from collections.abc import Mapping
from typing import Any

from pipelines.lifecycles import ALERT, NEW, ModelVersionState, RunState
from pipelines.lifecycles import move as next_state
from pipelines.monitoring.models import Alert
from pipelines.registry.models import SHADOW, Deployment, Model
from pipelines.registry.moves import lock_model
from pipelines.registry.queries import live_version
from pipelines.runs.actions.runs import create_within, start_within
from pipelines.runs.effects import EffectContext, LapseContext
from pipelines.runs.models import Run
from pipelines.usecases.models import BlueprintVersion, UseCase

# Who owns an alert until somebody takes it: drift and quality are the data scientist's (S10).
OWNERS: Mapping[str, str] = {"drift": "DS", "score_drift": "DS", "quality": "DS", "kpi": "BA"}
DEFAULT_OWNER = "DS"
UNDER_WAY = (RunState.PENDING, RunState.RUNNING, RunState.PAUSED)


def raise_alerts(context: EffectContext) -> None:
    """Raise an alert for each finding of the step; open the use case's next main run for them.

    One run answers all alerts of a time: where a main run is under way, it is named instead.
    """
    found = _found(context)
    model = Model.objects.filter(use_case=context.run.use_case_id).first()
    if not found or model is None:
        return
    model = lock_model(model.pk)
    alerts = [_raise(context, model, one) for one in found]
    answer = _answer(context, model, alerts)
    for alert in alerts:
        alert.opened_run = answer
        alert.save(update_fields=["opened_run"])


def alert_lapse(context: LapseContext) -> None:
    """Raise an alert where a version whose approval has just lapsed answers callers now."""
    served = Deployment.objects.filter(
        ended_at=None, version__run=context.run, version__state=ModelVersionState.LAPSED
    )
    for deployment in served.exclude(mode=SHADOW).select_related("model", "version"):
        finding = context.finding
        text = f"{deployment.version} answers, though its approval lapsed: {finding}"[:300]
        alert = Alert.objects.create(
            model=deployment.model,
            version=deployment.version,
            cause="finding_lapsed",
            severity="amber" if finding.severity == "minor" else "red",
            text=text,
            evidence={"finding": finding.pk, "gate": context.gate.pk, "text": finding.text},
            state=next_state(ALERT, NEW, "raise"),
            persona_id=finding.persona_id,
            raised_by=context.run,
            raised_at=context.command.now,
        )
        context.command.recorder.record(
            deployment.model.stream,
            "alert.raise",
            subject=("alert", alert.pk),
            after=alert.state,
            data={
                "cause": alert.cause,
                "severity": alert.severity,
                "text": text,
                "run": context.run.pk,
            },
            topic="alert.raised",
        )


def _found(context: EffectContext) -> list[Mapping[str, Any]]:
    """The findings in the facts of the step (or of the stage's steps, for a gate)."""
    stage = context.stage.key
    wanted = f"{stage}.{context.step.key}" if context.step else ""
    found: list[Mapping[str, Any]] = []
    for place, facts in context.facts.items():
        if place == wanted or (not wanted and place.startswith(f"{stage}.")):
            listed = facts.get("alert_list")
            found += (
                [one for one in listed if isinstance(one, Mapping)]
                if isinstance(listed, list)
                else []
            )
    return found


def _raise(context: EffectContext, model: Model, found: Mapping[str, Any]) -> Alert:
    cause, text = str(found.get("cause", "drift"))[:40], str(found.get("text", ""))[:300]
    severity = "red" if found.get("severity") == "red" else "amber"
    alert, made = Alert.objects.get_or_create(
        raised_by=context.run,
        cause=cause,
        text=text,
        defaults={
            "model": model,
            "version": live_version(model),
            "severity": severity,
            "evidence": dict(found),
            "state": next_state(ALERT, NEW, "raise"),
            "persona_id": OWNERS.get(cause, DEFAULT_OWNER),
            "raised_at": context.command.now,
        },
    )
    if made:
        context.command.recorder.record(
            model.stream,
            "alert.raise",
            subject=("alert", alert.pk),
            after=alert.state,
            data={"cause": cause, "severity": severity, "text": text, "run": context.run.pk},
            topic="alert.raised",
        )
    return alert


def _answer(context: EffectContext, model: Model, alerts: list[Alert]) -> Run | None:
    """The main run that answers: one under way, else a new one like the last."""
    # Lock order: two effects at once must not open two runs.
    use_case = UseCase.objects.select_for_update().get(pk=model.use_case_id)
    runs = use_case.runs.filter(kind="main").select_related("version__blueprint", "use_case")
    open_run = (
        runs.filter(state__in=UNDER_WAY).exclude(pk=context.run.pk).order_by("-number").first()
    )
    if open_run is not None:
        return open_run
    last = runs.order_by("-number").first()
    if last is None:
        return None
    run = create_within(
        context.command,
        use_case=use_case,
        version=_version_for(last),
        parameters=last.parameters,
        inputs=last.inputs,
        seed=last.seed,
        trigger=_trigger(context, model, alerts, last),
    )
    start_within(context.command, run)
    return run


def _version_for(last: Run) -> BlueprintVersion:
    """The published version of the last run's blueprint; its own where none is published."""
    published = last.version.blueprint.versions.filter(state="published").first()
    return published or last.version


def _trigger(
    context: EffectContext, model: Model, alerts: list[Alert], last: Run
) -> dict[str, Any]:
    version = live_version(model)
    return {
        "kind": "alert",
        "text": f"{context.run.label} raised {len(alerts)} alert(s) on {model}",
        "watch": context.run.pk,
        "model": model.name,
        "version": version.number if version else None,
        "after": last.pk,
        "alerts": [
            {"id": alert.pk, "severity": alert.severity, "cause": alert.cause, "text": alert.text}
            for alert in alerts
        ],
    }
