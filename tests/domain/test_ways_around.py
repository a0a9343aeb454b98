"""Ways around four-eyes, deadlines and contracts, which must stay shut."""

from typing import Any
from uuid import uuid4

import pytest

from personas import ledger
from personas.errors import DomainError, Gone, Invalid
from personas.models import Stream, User
from pipelines import catalogue
from pipelines.checks.contract import CheckResult, Facts, Params
from pipelines.runs.actions import gates, handoffs, runs, stages, steps
from pipelines.runs.models import Check, Run
from pipelines.runs.sweeper import Sweeper
from pipelines.usecases.actions import give_seat
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later


def red(facts: Facts, params: Params) -> CheckResult:
    """Never green."""
    return CheckResult("fail", "not good")


@pytest.fixture(autouse=True)
def _check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.CHECKS, "red", f"{__name__}.red")


def also(cast: Cast, run: Run, user: User, persona: str) -> None:
    """Let a person hold one more persona, and its seat here."""
    user.personas.add(persona)
    give_seat(actor=acting(cast.amara), use_case=run.use_case, user=user, persona=persona)


def refused(call: Any, *args: Any, **more: Any) -> DomainError:
    """The error that the call ends with."""
    with pytest.raises(DomainError) as error:
        call(*args, **more)
    return error.value


def broken(cast: Cast, **more: Any) -> Run:
    """A run whose first stage, Dmitri's, has a failed step."""
    run = f.run(
        cast,
        f.stage("build", "DE", steps=[f.step("work", params={"message": uuid4().hex})],
                gate=f.gate("DS", **more)),
    )  # fmt: skip
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"))
    f.fail(f.claim())
    return run


def test_whoever_changed_a_parameter_stays_an_author(cast: Cast) -> None:
    run = broken(cast)
    cast.sofia.capabilities = ["run.manage"]
    cast.sofia.save()
    work = f.step_of(run, "work")
    steps.retry(actor=acting(cast.sofia), step=work, overrides={"message": "hers"})
    f.fail(f.claim())
    steps.retry(actor=acting(cast.dmitri), step=work, overrides={"seconds": 0})
    f.perform()
    assert refused(f.decide, cast.sofia, f.gate_of(run)).code == "sod.subject_author"


def test_an_owner_stays_an_author_when_the_stage_is_given_to_another(cast: Cast) -> None:
    both = [f.step("one"), f.step("two", after=["one"], params={"message": "two"})]
    run = f.run(cast, f.stage("build", "DE", steps=both, gate=f.gate("DS")))
    also(cast, run, cast.sofia, "DE")
    stages.take(actor=acting(cast.sofia), stage=f.stage_of(run, "build"))
    f.settle(f.claim())
    stages.assign(
        actor=acting(cast.priya), stage=f.stage_of(run, "build"), owner=cast.dmitri, reason="x"
    )
    f.perform()
    assert refused(f.decide, cast.sofia, f.gate_of(run)).code == "sod.subject_author"


def test_a_manager_without_the_seat_takes_no_stage(cast: Cast) -> None:
    run = f.run(cast, f.stage("build", "DE"))
    error = refused(stages.take, actor=acting(cast.priya), stage=f.stage_of(run, "build"))
    assert error.code == "stage.persona"


def test_a_waiver_comes_too_late_like_a_decision(cast: Cast, later: Later) -> None:
    run = f.run(
        cast,
        f.stage("build", "DE", gate=f.gate(
            "DS", checks=[{"name": "red"}], expires="P1D", on_expire="hold")),
    )  # fmt: skip
    f.perform()
    later(days=2)
    check = Check.objects.get(gate=f.gate_of(run))
    with pytest.raises(Gone):
        gates.waive(actor=acting(cast.priya), check=check, reason="known", days=7)
    assert f.gate_of(run).state == "EXPIRED"


def test_an_approval_taken_back_is_not_carried_over(cast: Cast) -> None:
    run = f.run(cast, f.stage("build", "DE", steps=[f.step("work")], gate=f.gate(("DS", 2))))
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"))
    f.perform()
    f.decide(cast.sofia, f.gate_of(run))
    for _ in range(2):
        stages.rerun(actor=acting(cast.dmitri), stage=f.stage_of(run, "build"), reason="again")
        f.perform()
        held = f.gate_of(run).decisions.filter(user=cast.sofia, state="IN_FORCE")
        if held.exists():
            f.decide(cast.sofia, f.gate_of(run), "withdraw")
    assert not f.gate_of(run).decisions.exists()


def test_the_sender_cannot_change_what_the_receivers_contract_computes(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("give", "DE", hand_off={"steps": [f.step("probe")], "contract": [{"name": "red"}]}),
        f.stage("take", "DS", needs=["give"]),
    )
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "give"))
    f.settle(f.claim())
    f.fail(f.claim())
    probe = f.step_of(run, "probe")
    error = refused(
        steps.retry, actor=acting(cast.dmitri), step=probe, overrides={"message": "easy"}
    )
    assert error.code == "contract.overrides"


def test_the_senders_owner_does_not_accept_what_a_manager_offered(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("give", "DE", hand_off={"checklist": [{"key": "gaps", "label": "Gaps"}]}),
        f.stage("take", "DS", needs=["give"]),
    )
    also(cast, run, cast.dmitri, "DS")
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "give"))
    f.perform()
    passing = f.hand_off_of(run)
    handoffs.offer(actor=acting(cast.priya), hand_off=passing, answers={"gaps": "none"})
    error = refused(handoffs.accept, actor=acting(cast.dmitri), hand_off=passing)
    assert error.code == "sod.hand_off_sender"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b", "x" * 300, "a\nb"])
def test_an_inputs_name_is_a_name_and_no_path(cast: Cast, name: str) -> None:
    digest = f.output("a,b\n1,2\n")["digest"]
    given = [{"name": name, "digest": digest, "media": "csv"}]
    with pytest.raises(Invalid) as error:
        f.run(
            cast,
            f.stage("build", "DE"),
            plan_has={"inputs": [{"key": "tables", "title": "Tables", "media": ["csv"]}]},
            inputs={"tables": given},
        )
    assert list(error.value.fields) == ["inputs.tables"]


def test_a_stream_that_grows_while_it_is_verified_holds(cast: Cast) -> None:
    run = f.run(cast, f.stage("build", "DE"))
    before = Stream.objects.get(kind="run", key=str(run.pk))
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    assert ledger.verify_stream(before) is None


def test_one_rows_defect_does_not_end_the_sweep(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, later: Later
) -> None:
    run = f.run(
        cast,
        f.stage("build", "DE", gate=f.gate("DS", expires="P1D", on_expire="hold")),
    )
    f.perform()
    later(days=2)
    sweeper = Sweeper(poke=lambda queue, pk: True, stopping=None)  # type: ignore[arg-type]

    def defect(pk: int) -> None:
        raise RuntimeError("a plan that does not come to rest")

    sweeper._each([run.pk], defect)
