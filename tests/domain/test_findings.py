"""Findings: born of an approval with conditions; resolved with evidence, or the approval lapses."""

from typing import Any
from uuid import uuid4

import pytest

from personas.errors import Conflict, DomainError, Gone, Invalid
from personas.models import Event
from pipelines.monitoring.models import Alert
from pipelines.registry.models import Deployment, ModelVersion
from pipelines.registry.queries import answering
from pipelines.runs.actions import findings, overrides, runs, stages
from pipelines.runs.models import Finding, Gate, Run
from pipelines.runs.sweeper import Sweeper
from tests import release
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later

WITH = "approve_with_conditions"


def condition(**changes: Any) -> dict[str, Any]:
    """One condition that the data engineer is to fulfil in two weeks."""
    return {"text": "document the three wind columns", "persona": "DE", "days": 14, **changes}


def reviewed(cast: Cast, *rules: Any, **more: Any) -> Run:
    """A run whose first stage, Dmitri's, is under review."""
    run = f.run(
        cast,
        f.stage("build", "DE", steps=[f.step("work", params={"message": uuid4().hex})],
                gate=f.gate(*(rules or ("DS",)), **more)),
        f.stage("use", "DE", needs=["build"], items=[f.form("words")]),
    )  # fmt: skip
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"))
    f.settle(f.claim())
    return run


def approved(cast: Cast, *conditions: dict[str, Any], **more: Any) -> Run:
    """A run whose first gate Sofia approved with conditions."""
    run = reviewed(cast, **more)
    f.decide(cast.sofia, f.gate_of(run), WITH, conditions=conditions or [condition()])
    return run


def refused(call: Any, *args: Any, **more: Any) -> DomainError:
    """The error that the call ends with."""
    with pytest.raises(DomainError) as error:
        call(*args, **more)
    return error.value


def resolve(user: Any, finding: Finding, **more: Any) -> Any:
    given = {"evidence": "written down in the datasheet", **more}
    return findings.resolve(actor=acting(user), finding=finding, **given)


def extend(user: Any, finding: Finding, **more: Any) -> Any:
    given = {"days": 30, "reason": "the owner is ill", **more}
    return findings.extend(actor=acting(user), finding=finding, **given)


def sweep() -> None:
    """What the engine does by the clock."""
    Sweeper(poke=lambda queue, pk: True, stopping=None).sweep()  # type: ignore[arg-type]


# --- born --------------------------------------------------------------------------------------


def test_a_condition_becomes_a_finding_of_the_approval(cast: Cast) -> None:
    run = approved(cast, condition(), condition(text="name a steward", persona="BA", days=3))
    assert f.gate_of(run).state == "APPROVED"
    assert f.states(run) == {"build": "DONE", "use": "ACTIVE"}
    soon, late = Finding.objects.all()
    assert (soon.text, soon.persona_id, soon.state) == ("name a steward", "BA", "OPEN")
    assert (late.due_at - late.opened_at).days == 14
    assert late.severity == "major"
    assert late.decision.user == cast.sofia
    told = next(event for event in f.events_of(run) if event.type == "finding.open")
    assert told.data["by"] == "Sofia Reyes"


def test_no_finding_before_the_gate_approves(cast: Cast, later: Later) -> None:
    run = reviewed(cast, ("DS", 2))
    f.decide(cast.sofia, f.gate_of(run), WITH, conditions=[condition(days=1)])
    assert not Finding.objects.exists()
    later(days=3)
    f.decide(cast.noor, f.gate_of(run))
    finding = Finding.objects.get()
    assert (finding.due_at - finding.opened_at).days == 1  # counted from the approval
    run = reviewed(cast, ("DS", 2))
    f.decide(cast.sofia, f.gate_of(run), WITH, conditions=[condition()])
    f.decide(cast.noor, f.gate_of(run), "reject")
    assert Finding.objects.count() == 1


def test_a_withdrawn_condition_asks_nothing(cast: Cast) -> None:
    run = reviewed(cast)
    f.decide(cast.noor, f.gate_of(run), "abstain")
    run = reviewed(cast, ("DS", 2))
    f.decide(cast.sofia, f.gate_of(run), WITH, conditions=[condition()])
    f.decide(cast.sofia, f.gate_of(run))
    f.decide(cast.noor, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"
    assert not Finding.objects.exists()


@pytest.mark.parametrize(
    ("conditions", "fields"),
    [
        ([], {"conditions"}),
        ([condition()] * 11, {"conditions"}),
        ([condition(text=" ")], {"conditions.0.text"}),
        ([condition(), condition(days=0, persona="XX")],
         {"conditions.1.days", "conditions.1.persona"}),
        ([condition(days=True, severity="huge", hurry=1)],
         {"conditions.0.days", "conditions.0.severity", "conditions.0.hurry"}),
    ],
)  # fmt: skip
def test_every_bad_condition_is_named(
    cast: Cast, conditions: list[dict[str, Any]], fields: set[str]
) -> None:
    run = reviewed(cast)
    error = refused(f.decide, cast.sofia, f.gate_of(run), WITH, conditions=conditions)
    assert isinstance(error, Invalid)
    assert set(error.fields) == fields


def test_conditions_belong_to_one_verdict_and_to_gates_that_take_them(cast: Cast) -> None:
    run = reviewed(cast)
    error = refused(f.decide, cast.sofia, f.gate_of(run), conditions=[condition()])
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"conditions"}
    strict = reviewed(cast, conditions=False)
    error = refused(f.decide, cast.sofia, f.gate_of(strict), WITH, conditions=[condition()])
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"verdict"}


def test_red_checks_refuse_it_too(cast: Cast) -> None:
    run = reviewed(cast, checks=[{"name": "target_met"}])
    error = refused(f.decide, cast.sofia, f.gate_of(run), WITH, conditions=[condition()])
    assert error.code == "check_red"


def test_a_second_click_adds_no_finding(cast: Cast) -> None:
    run = approved(cast)
    f.decide(cast.sofia, f.gate_of(run), WITH, conditions=[condition()])
    assert Finding.objects.count() == 1
    error = refused(f.decide, cast.sofia, f.gate_of(run), WITH, conditions=[condition(days=2)])
    assert error.code == "already_decided"


def test_an_override_keeps_the_conditions_of_those_who_approved(cast: Cast) -> None:
    run = reviewed(cast, ("DS", 2))
    f.decide(cast.sofia, f.gate_of(run), WITH, conditions=[condition()])
    cast.priya.capabilities = ["gate.override"]
    cast.priya.save()
    gate = f.gate_of(run)
    overrides.override(
        actor=acting(cast.priya), gate=gate, verdict="approve", seen=gate.subject_digest,
        reason="now",
    )  # fmt: skip
    assert Finding.objects.get().gate == gate


# --- resolved, extended --------------------------------------------------------------------------


def test_its_persona_resolves_it_with_evidence(cast: Cast) -> None:
    run = approved(cast)
    finding = Finding.objects.get()
    assert refused(resolve, cast.kenji, finding).code == "finding.persona"
    error = refused(resolve, cast.dmitri, finding, evidence=" ", artefacts=["0" * 64])
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"evidence", "artefacts"}
    shown = f.output("the datasheet")["digest"]
    resolve(cast.dmitri, finding, artefacts=[shown], key="k")
    assert resolve(cast.dmitri, finding, artefacts=[shown], key="k").replayed
    finding.refresh_from_db()
    assert (finding.state, finding.resolved_by) == ("RESOLVED", cast.dmitri)
    assert finding.artefacts == [shown]
    assert "finding.resolve" in f.events(run)
    error = refused(resolve, cast.dmitri, finding)
    assert isinstance(error, Conflict)
    assert (error.code, error.data["by"]) == ("finding_closed", "Dmitri Volkov")


def test_the_database_knows_no_resolution_without_evidence(cast: Cast) -> None:
    approved(cast)
    with pytest.raises(Exception, match="finding_resolved_with_evidence"):
        Finding.objects.update(state="RESOLVED", resolved_by=cast.dmitri)


def test_a_condition_cannot_be_rewritten(cast: Cast) -> None:
    approved(cast)
    with pytest.raises(Exception, match="Cannot update"):
        Finding.objects.update(text="nothing at all")


def test_who_decides_gives_more_time_and_who_owes_does_not(cast: Cast, later: Later) -> None:
    approved(cast)
    finding = Finding.objects.get()
    assert refused(extend, cast.dmitri, finding).code == "sod.subject_author"
    assert refused(extend, cast.kenji, finding).code == "gate.persona"
    error = refused(extend, cast.sofia, finding, days=7)
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"days"}
    error = refused(extend, cast.sofia, finding, days=91, reason="")
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"days", "reason"}
    extend(cast.sofia, finding)
    later(days=20)
    sweep()
    extend(cast.noor, finding)
    finding.refresh_from_db()
    assert (finding.state, finding.extensions) == ("OPEN", 2)
    assert refused(extend, cast.sofia, finding, days=60).code == "extended_enough"


def test_it_is_resolved_after_its_run_has_ended(cast: Cast) -> None:
    run = approved(cast)
    f.fill(cast.dmitri, f.item_of(run, "words"))
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    resolve(cast.dmitri, Finding.objects.get())
    assert Finding.objects.get().state == "RESOLVED"


# --- overdue -------------------------------------------------------------------------------------


def test_an_overdue_finding_lapses_the_approval(cast: Cast, later: Later) -> None:
    run = approved(cast)
    later(days=13)
    sweep()
    assert Finding.objects.get().state == "OPEN"
    later(days=2)
    sweep()
    assert Finding.objects.get().state == "LAPSED"
    assert f.gate_of(run).state == "APPROVED"  # what was decided is never rewritten
    assert f.attention(run) == ["finding_lapsed"]
    assert [e for e in f.events(run) if e.endswith("lapsed")] == ["gate.lapsed"]
    count = Event.objects.count()
    sweep()
    assert Event.objects.count() == count


def test_evidence_comes_too_late_though_the_sweeper_was_never_there(
    cast: Cast, later: Later
) -> None:
    approved(cast)
    later(days=15)
    error = refused(resolve, cast.dmitri, Finding.objects.get(), key="k")
    assert isinstance(error, Gone)
    assert error.code == "finding_lapsed"
    assert Finding.objects.get().state == "LAPSED"
    assert refused(extend, cast.sofia, Finding.objects.get()).code == "finding_lapsed"


def test_a_pause_stops_its_clock(cast: Cast, later: Later) -> None:
    run = approved(cast)
    due = Finding.objects.get().due_at
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    later(days=20)
    sweep()
    runs.resume(actor=acting(cast.priya), run=run)
    sweep()
    finding = Finding.objects.get()
    assert finding.state == "OPEN"
    assert (finding.due_at - due).days in (19, 20)


def again(cast: Cast, run: Run) -> Gate:
    """Dmitri does his stage again; the same content comes out."""
    stages.rerun(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"), reason="again")
    f.perform()
    return f.gate_of(run, "build")


def test_a_carried_approval_takes_its_open_finding_along(cast: Cast, later: Later) -> None:
    run = approved(cast)
    first = Finding.objects.get()
    later(days=2)
    gate = again(cast, run)
    assert gate.state == "APPROVED"  # the same content, the same approval
    finding = Finding.objects.get()
    assert (finding.gate, finding.due_at) == (gate, first.due_at)
    assert finding.gate.stage.round == 2


def test_a_resolved_finding_is_not_asked_for_again(cast: Cast) -> None:
    run = approved(cast)
    resolve(cast.dmitri, Finding.objects.get())
    gate = again(cast, run)
    assert gate.state == "APPROVED"
    assert Finding.objects.get().state == "RESOLVED"


def test_no_rerun_brings_a_lapsed_approval_back(cast: Cast, later: Later) -> None:
    run = approved(cast)
    later(days=15)
    sweep()
    gate = again(cast, run)
    assert (gate.state, gate.decisions.count()) == ("OPEN", 0)
    assert f.attention(run) == []
    f.decide(cast.sofia, gate)
    assert f.gate_of(run, "build").state == "APPROVED"


# --- what was built on it ------------------------------------------------------------------------


def released(cast: Cast) -> tuple[Run, ModelVersion]:
    """A run whose version is live, approved with a condition."""
    run = approved(cast)
    gate = f.gate_of(run, "build")
    package = release.packaged("linear").package
    release.step_with(run, "operationalise.package", {"package": package}, {}, position=6)
    release.cause("register_version", run)
    version = ModelVersion.objects.get(run=run)
    release.cause("approve_version", run, gate=gate)
    release.cause("go_live", run, gate=gate)
    version.refresh_from_db()
    return run, version


def test_a_lapse_reaches_the_model_and_raises_an_alert(cast: Cast, later: Later) -> None:
    run, version = released(cast)
    assert version.state == "APPROVED"
    later(days=15)
    sweep()
    version.refresh_from_db()
    assert version.state == "LAPSED"
    alert = Alert.objects.get()
    assert (alert.cause, alert.severity, alert.persona_id) == ("finding_lapsed", "red", "DE")
    assert [one.version for one in answering()] == [version]  # no outage by a missed date
    error = refused(release.cause, "go_live", run, gate=f.gate_of(run, "build"))
    assert error.code == "version_not_approved"


def test_a_new_round_approves_the_version_again(cast: Cast, later: Later) -> None:
    run, version = released(cast)
    later(days=15)
    sweep()
    error = refused(release.cause, "approve_version", run, gate=f.gate_of(run, "build"))
    assert error.code == "approval_lapsed"
    gate = again(cast, run)
    f.decide(cast.sofia, gate)
    release.cause("approve_version", run, gate=Gate.objects.get(pk=gate.pk))
    version.refresh_from_db()
    assert (version.state, version.approval) == ("APPROVED", gate)
    assert Deployment.objects.filter(ended_at=None).count() == 1
