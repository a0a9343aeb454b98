"""Red contracts of the shipped blueprints refuse the offer by name; content that changed since
its contract was green is judged anew.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from personas.commands import Command, execute
from personas.errors import Conflict
from personas.ledger import ENGINE
from pipelines import catalogue
from pipelines.blueprints.shipped import shipped
from pipelines.blueprints.spec import StageDef
from pipelines.checks.contract import CheckResult, Facts, Params
from pipelines.lifecycles import HandOffState, RunState, StageState
from pipelines.runs import packages
from pipelines.runs.actions import handoffs
from pipelines.runs.models import HandOff, Run, Stage
from pipelines.runs.rows import load
from tests import factories
from tests.cast import Cast, acting
from tests.contracts.test_hand_offs import MAIN, changes, demanded
from tests.domain import engine as f

pytestmark = pytest.mark.django_db


def prepared(cast: Cast, key: str) -> tuple[Run, dict[str, Stage]]:
    """A run of a shipped blueprint, all of whose stages are done: only hand-offs are missing."""
    version = factories.published(key)
    run = Run.objects.create(
        use_case=f.use_case(cast), version=version, kind="main", number=1,
        state=RunState.RUNNING, created_by=cast.amara,
    )  # fmt: skip
    stages = {
        stage.key: Stage.objects.create(
            run=run, key=stage.key, position=place, persona_id=stage.persona, round=1,
            current=True, state=StageState.DONE, owner=cast.of(stage.persona),
        )
        for place, stage in enumerate(shipped(key).stages)
    }  # fmt: skip
    return run, stages


def judged(run: Run, giver: Stage, taker: Stage) -> HandOff:
    """A hand-off in preparation, its contract judged on what the run knows: nothing."""
    made = HandOff.objects.create(run=run, source=giver, target=taker, state=HandOffState.PREPARING)

    def body(command: Command, locked: Run) -> dict[str, object]:
        rows = load(locked)
        packages.judge_contract(command, rows, rows.hand_offs[giver.key, taker.key])
        command.recorder.flush()
        return {}

    execute(
        actor=ENGINE, name="judge",
        lock=lambda: Run.objects.select_for_update(of=("self",)).get(pk=run.pk), body=body,
    )  # fmt: skip
    return made


@pytest.mark.parametrize("key", MAIN)
def test_a_red_contract_refuses_the_offer_and_names_what_is_red(cast: Cast, key: str) -> None:
    run, stages = prepared(cast, key)
    for giver, taker in changes(shipped(key)):
        made = judged(run, stages[giver.key], stages[taker.key])
        with pytest.raises(Conflict) as refused:
            handoffs.offer(
                actor=acting(cast.of(giver.persona)), hand_off=made, answers=answers_of(giver)
            )
        assert refused.value.code == "contract_red", giver.key
        red = set(refused.value.data["checks"])
        assert demanded(key, giver, taker) <= red, giver.key
        assert red == {use.name for use in giver.hand_off.contract if use.blocking}
        made.refresh_from_db()
        assert made.state == HandOffState.PREPARING


def answers_of(giver: StageDef) -> Mapping[str, Any]:
    assert giver.hand_off is not None
    return {"walk_through": "2024-03-04, giver and taker"}


# --- Content that changes after its contract was green --------------------------------------------


def long_enough(facts: Facts, params: Params) -> CheckResult:
    """Green where the contract's step has read what the form says now."""
    said = str((facts.get("make.probe") or {}).get("message", ""))
    good = len(said) >= 5 and said == (facts.get("item.make.note") or {}).get("text")
    return CheckResult("pass" if good else "fail", said)


@pytest.fixture
def _check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.CHECKS, "sound", f"{__name__}.long_enough")


@pytest.mark.usefixtures("_check")
def test_changed_content_is_judged_anew_before_it_is_offered(cast: Cast) -> None:
    probe = f.step("probe", params={"message": {"ref": "item.make.note.text"}})
    hand_off = {"steps": [probe], "contract": [{"name": "sound"}]}
    run = f.run(
        cast,
        f.stage("make", "DE", items=[f.form("note")], max_rounds=5, hand_off=hand_off),
        f.stage("take", "DS", needs=["make"], items=[f.form("note")]),
    )
    f.fill(cast.dmitri, f.item_of(run, "note"), text="long enough")
    f.perform()
    first = f.hand_off_of(run)
    assert first.state == "OFFERED"
    handoffs.return_(
        actor=acting(cast.sofia), hand_off=first, reason="too long", reason_code="quality"
    )
    f.fill(cast.dmitri, f.item_of(run, "note"), text="bad")
    second = f.hand_off_of(run)
    assert (second.pk != first.pk, second.state, second.checks.count()) == (True, "PREPARING", 0)
    with pytest.raises(Conflict) as early:
        handoffs.offer(actor=acting(cast.dmitri), hand_off=second, answers={})
    assert early.value.code in ("contract_red", "contract_running")
    f.perform()
    with pytest.raises(Conflict) as red:
        handoffs.offer(actor=acting(cast.dmitri), hand_off=second, answers={})
    assert (red.value.code, red.value.data["checks"]) == ("contract_red", ["sound"])
    assert f.hand_off_of(run).state == "PREPARING"
    assert first.checks.get().verdict == "pass"  # what was green then is on record, and past
