"""Alerts, and the run that a watch opens."""

from typing import Any

import pytest

from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import ENGINE, Actor
from personas.models import Event
from pipelines.blueprints.shipped import shipped_text
from pipelines.lifecycles import RunState
from pipelines.monitoring import actions
from pipelines.monitoring.models import Alert
from pipelines.runs.models import Run
from pipelines.usecases.actions import publish_blueprint
from pipelines.usecases.models import BlueprintVersion
from tests.release import Release, cause, gate_of, person, release, run_of, step_with, use_case

pytestmark = pytest.mark.django_db

WIND = {
    "cause": "drift", "severity": "red", "column": "wind", "psi": 0.6, "limit": 0.25,
    "text": "wind: PSI 0.60, limit 0.25",
}  # fmt: skip
SCORE = {"cause": "score_drift", "severity": "amber", "text": "score: PSI 0.15, limit 0.10"}
QUALITY = {"cause": "quality", "severity": "red", "text": "roc_auc is 0.61, limit 0.65"}


def live() -> Release:
    """A live model whose use case had a main run of a blueprint that can start."""
    answer = publish_blueprint(actor=ENGINE, source=shipped_text("hello"))
    case = use_case()
    first = run_of(case, version=BlueprintVersion.objects.get(pk=answer.data["version"]))
    Run.objects.filter(pk=first.pk).update(
        state=RunState.SUCCEEDED, parameters={"message": "m", "seconds": 0.0}, seed=7
    )
    made = release(case)
    cause("go_live", made.run, gate=gate_of(made.run, "deploy"))
    # The release itself is no run of a blueprint: it must not count as the last one.
    Run.objects.filter(pk=made.run.pk).update(state=RunState.SUCCEEDED, kind="watch", number=99)
    return made


def watch(made: Release, *found: dict[str, Any], step: str = "watch.drift") -> Run:
    run = run_of(made.case, kind="watch")
    one = step_with(run, step, {}, {"alerts": len(found), "alert_list": list(found)}, position=1)
    cause("raise_alerts", run, step=one)
    return run


def test_a_watch_that_finds_drift_raises_alerts_and_opens_the_next_run() -> None:
    made = live()
    run = watch(made, WIND, SCORE)
    alerts = list(Alert.objects.order_by("id"))
    assert [(a.cause, a.severity, a.persona_id) for a in alerts] == [
        ("drift", "red", "DS"), ("score_drift", "amber", "DS"),
    ]  # fmt: skip
    opened = alerts[0].opened_run
    assert opened is not None
    assert (opened.label, opened.state, opened.seed) == ("Run 2", RunState.RUNNING, 7)
    assert opened.parameters["message"] == "m"
    assert opened.trigger["kind"] == "alert"
    assert opened.trigger["watch"] == run.pk
    assert [one["text"] for one in opened.trigger["alerts"]] == [WIND["text"], SCORE["text"]]
    assert alerts[1].opened_run == opened
    assert opened.stages.filter(state="ACTIVE").exists()


def test_a_quiet_watch_opens_nothing() -> None:
    made = live()
    watch(made)
    assert not Alert.objects.exists()
    assert made.case.runs.filter(kind="main").count() == 1


def test_a_second_finding_joins_the_run_that_is_under_way() -> None:
    made = live()
    watch(made, WIND)
    watch(made, QUALITY, step="watch.quality")
    assert made.case.runs.filter(kind="main").count() == 2
    assert len(set(Alert.objects.values_list("opened_run", flat=True))) == 1


def test_the_same_finding_is_one_alert() -> None:
    made = live()
    run = watch(made, WIND)
    step = run.steps.get()
    cause("raise_alerts", run, step=step)
    assert Alert.objects.count() == 1
    assert Event.objects.filter(type="alert.raise").count() == 1


def test_alerts_are_acknowledged_and_resolved_by_their_persona() -> None:
    made = live()
    watch(made, WIND)
    alert = Alert.objects.get()
    with pytest.raises(NotAllowed):
        actions.acknowledge(actor=Actor.person(person("Eve")), alert=alert)
    scientist = Actor.person(person("Dia", use_case=made.case, persona="DS"))
    actions.acknowledge(actor=scientist, alert=alert)
    with pytest.raises(Conflict) as late:
        actions.acknowledge(actor=scientist, alert=alert)
    assert late.value.data["by"] == "Dia"
    with pytest.raises(Invalid):
        actions.resolve(actor=scientist, alert=alert, resolution="")
    actions.resolve(actor=scientist, alert=alert, resolution="retrained")
    alert.refresh_from_db()
    assert (alert.state, alert.resolution) == ("RESOLVED", "retrained")
