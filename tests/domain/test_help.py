"""Requests for help across personas, outside of the order of the stages (H9)."""

import threading
from pathlib import Path
from typing import Any

import pytest

from personas.errors import Conflict, DomainError, Invalid, NotAllowed
from pipelines.artefacts.actions import keep
from pipelines.runs.actions import help as requests
from pipelines.runs.actions import item_moves, items, runs
from pipelines.runs.actions import stages as stage_actions
from pipelines.runs.models import Run, WorkItem
from pipelines.runs.queries.inbox import inbox
from pipelines.runs.sweeper import Sweeper
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later

INPUTS = {"train": "run.tables", "holdout": "run.tables"}
QUESTION = "The rule of thumb reaches 0.6. Is there more in it?"
ANSWER = {"outcome": "advice", "answer": "Boosted trees, and these two columns."}


@pytest.fixture
def run(cast: Cast) -> Run:
    """Tomas works on a stage; one more follows."""
    made = f.run(
        cast,
        f.stage("build", "SWE", items=[f.form("note")], gate=f.gate("OPS")),
        f.stage("ship", "SWE", needs=["build"]),
    )
    stage_actions.take(actor=acting(cast.tomas), stage=f.stage_of(made, "build"))
    return made


def ask(cast: Cast, run: Run, **more: Any) -> WorkItem:
    given = {"persona": "MLE", "question": QUESTION, **more}
    answer = requests.ask(actor=acting(cast.tomas), stage=f.stage_of(run, "build"), **given)
    return WorkItem.objects.get(pk=answer.data["item"])


def rows(user: Any, key: str) -> list[str]:
    (found,) = [part for part in inbox(user).sections if part.key == key]
    return [row.asked for row in found.rows]


def test_a_software_engineer_asks_an_ml_engineer(cast: Cast, run: Run) -> None:
    """The stage stays ACTIVE and its owner's; the request has its own acceptance and wait."""
    item = ask(cast, run)
    assert (item.kind, item.persona_id, item.state) == ("help", "MLE", "OPEN")
    assert item.asked_by == cast.tomas
    stage = f.stage_of(run, "build")
    assert (stage.state, stage.owner) == ("ACTIVE", cast.tomas)
    assert rows(cast.lena, "offered") == ["Software engineer asks: something else"]
    assert rows(cast.tomas, "others") == ["Software engineer asks: something else"]
    items.claim(actor=acting(cast.lena), item=item)
    assert f.stage_of(run, "build").owner == cast.tomas
    f.fill(cast.tomas, f.item_of(run, "note"))
    assert f.stage_of(run, "build").state == "ACTIVE"  # it does not end before the answer
    item.refresh_from_db()
    f.fill(cast.lena, item, **ANSWER)
    item.refresh_from_db()
    assert (item.state, item.completed_by, item.data) == ("COMPLETED", cast.lena, ANSWER)
    assert item.claimed_at is not None
    assert f.stage_of(run, "build").state == "IN_REVIEW"
    assert f.events(run).count("work_item.open") == 2


def test_an_answer_is_part_of_the_evidence_and_its_giver_an_author(cast: Cast, run: Run) -> None:
    item = ask(cast, run)
    f.fill(cast.lena, item, **ANSWER)
    f.fill(cast.tomas, f.item_of(run, "note"))
    gate = f.gate_of(run)
    assert gate.pack["facts"]["item.build.help-1"] == ANSWER
    assert set(gate.pack["subject"]["items"]) == {"note", "help-1"}
    assert {cast.lena.pk, cast.tomas.pk} <= set(gate.author_ids)


def test_an_answer_must_say_something(cast: Cast, run: Run) -> None:
    item = ask(cast, run)
    with pytest.raises(Invalid) as error:
        f.fill(cast.lena, item, outcome="perhaps")
    assert set(error.value.fields) == {"data.outcome", "data.answer"}
    with pytest.raises(NotAllowed):
        f.fill(cast.sofia, item, **ANSWER)


def test_too_complex_for_a_simple_model_needs_data_and_a_baseline(
    cast: Cast, tmp_path: Path
) -> None:
    """H9's acceptance test: the request has the data and the baseline attached."""
    scored = f.step("score", operation="score_baseline", inputs=INPUTS, params={"target": "late"})
    run = f.run(
        cast,
        f.stage("build", "SWE", steps=[scored], items=[f.form("note")]),
        plan_has={"inputs": [{"key": "tables", "title": "Tables", "media": ["parquet"]}]},
        inputs={"tables": [table(tmp_path)]},
        by=cast.tomas,
    )
    with pytest.raises(Invalid) as error:
        ask(cast, run, code="too_complex")
    (problem,) = error.value.fields["code"]
    assert "needs baseline attached" in problem
    f.perform()
    item = ask(cast, run, code="too_complex")
    assert item.title == "Software engineer asks: this is too complex for a simple model"
    attached = item.context["attached"]
    assert [part["name"] for part in attached["data"]] == ["flights.parquet"]
    assert [part["name"] for part in attached["baseline"]] == ["build.score.result"]


def table(tmp_path: Path) -> dict[str, str]:
    """A table's bytes, which nobody reads here."""
    path = tmp_path / "flights.parquet"
    path.write_bytes(b"flight,late")
    digest = keep(path, media="parquet").digest
    return {"name": path.name, "digest": digest, "media": "parquet"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"persona": "SWE"}, "persona"),
        ({"persona": "XYZ"}, "persona"),
        ({"question": "  "}, "question"),
        ({"question": "x" * 10_001}, "question"),
        ({"code": "bored"}, "code"),
        ({"days": 0}, "days"),
        ({"days": 31}, "days"),
    ],
)
def test_a_bad_request_names_its_fields(
    cast: Cast, run: Run, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as error:
        ask(cast, run, **wrong)
    assert set(error.value.fields) == {field}


def refused(cast: Cast, run: Run, login: str) -> DomainError:
    with pytest.raises(DomainError) as error:
        requests.ask(
            actor=acting(getattr(cast, login)),
            stage=f.stage_of(run, "build"),
            persona="MLE",
            question=QUESTION,
        )
    return error.value


def test_only_whose_stage_it_is_asks_while_it_is_under_way(cast: Cast, run: Run) -> None:
    assert refused(cast, run, "kenji").code == "stage.persona"
    f.fill(cast.tomas, f.item_of(run, "note"))
    assert refused(cast, run, "tomas").code == "stage_state"
    with pytest.raises(Conflict):
        requests.ask(
            actor=acting(cast.tomas),
            stage=f.stage_of(run, "ship"),
            persona="MLE",
            question=QUESTION,
        )


def test_a_paused_run_asks_nobody(cast: Cast, run: Run) -> None:
    runs.pause(actor=acting(cast.priya), run=run, reason="wait")
    assert refused(cast, run, "tomas").code == "run_paused"


def test_somebody_must_be_there_to_help(cast: Cast, run: Run) -> None:
    seat = run.use_case.seats.get(persona="MLE")
    seat.until = seat.since
    seat.save()
    with pytest.raises(Invalid) as error:
        ask(cast, run)
    assert "nobody else holds a seat as MLE" in error.value.fields["persona"][0]


def test_who_asks_does_not_answer(cast: Cast) -> None:
    """Noor is an analyst and a data scientist here: she may ask the one and not answer as him."""
    run = f.run(cast, f.stage("build", "BA", items=[f.form("note")]), by=cast.noor)
    answer = requests.ask(
        actor=acting(cast.noor), stage=f.stage_of(run, "build"), persona="DS", question=QUESTION
    )
    item = WorkItem.objects.get(pk=answer.data["item"])
    with pytest.raises(NotAllowed) as error:
        items.claim(actor=acting(cast.noor), item=item)
    assert error.value.code == "help.asker"
    assert rows(cast.noor, "offered") == []
    f.fill(cast.sofia, item, **ANSWER)


def test_a_request_can_be_withdrawn_and_the_stage_goes_on(cast: Cast, run: Run) -> None:
    item = ask(cast, run)
    f.fill(cast.tomas, f.item_of(run, "note"))
    with pytest.raises(NotAllowed):
        requests.withdraw(actor=acting(cast.lena), item=item, reason="no time")
    with pytest.raises(Invalid):
        requests.withdraw(actor=acting(cast.tomas), item=item, reason=" ")
    requests.withdraw(actor=acting(cast.tomas), item=item, reason="found it")
    item.refresh_from_db()
    assert item.state == "CANCELLED"
    assert f.stage_of(run, "build").state == "IN_REVIEW"
    with pytest.raises(Conflict):
        requests.withdraw(actor=acting(cast.tomas), item=item, reason="again")
    with pytest.raises(Conflict):
        f.fill(cast.lena, item, **ANSWER)


def test_help_works_where_the_blueprint_has_no_items(cast: Cast) -> None:
    run = f.run(cast, f.stage("build", "SWE"), by=cast.tomas)
    item = ask(cast, run)
    f.perform()
    assert f.states(run) == {"build": "ACTIVE"}
    f.fill(cast.lena, item, **ANSWER)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"


def test_several_requests_are_numbered(cast: Cast, run: Run) -> None:
    assert [ask(cast, run).key, ask(cast, run, persona="DS").key] == ["help-1", "help-2"]


def test_a_next_round_leaves_the_request_behind(cast: Cast, run: Run) -> None:
    item = ask(cast, run)
    stage_actions.rerun(
        actor=acting(cast.tomas), stage=f.stage_of(run, "build"), reason="from the start"
    )
    item.refresh_from_db()
    assert item.state == "CANCELLED"


def test_a_request_is_due_reminds_and_escalates(cast: Cast, run: Run, later: Later) -> None:
    item = ask(cast, run, days=1)
    assert item.due_at is not None
    later(days=1, hours=1)
    sweeper = Sweeper(poke=lambda queue, hint: True, stopping=threading.Event())
    sweeper.sweep()
    told = [e.data["percent"] for e in f.events_of(run) if e.type == "deadline.reminded"]
    assert told == [50, 80, 100]
    item.refresh_from_db()
    assert item.escalations == 1
    assert item.candidates == ["MLE", "OPS"]  # the blueprint's personas, but not who asks


def test_help_can_be_delegated_by_its_holder(cast: Cast) -> None:
    run = f.run(cast, f.stage("build", "SWE", items=[f.form("note")]), by=cast.tomas)
    item = ask(cast, run, persona="DS")
    items.claim(actor=acting(cast.sofia), item=item)
    item_moves.delegate(actor=acting(cast.sofia), item=item, to=cast.noor)
    item.refresh_from_db()
    f.fill(cast.noor, item, **ANSWER)
