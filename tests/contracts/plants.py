"""One planted violation per invariant: done as the database's owner could, past every guard.

Each returns the kind and id of the row that is to be named. State and ledger are changed together,
so that only the planted invariant breaks and not also the one that folds events.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import psycopg2
from django.conf import settings
from django.db import connection
from django.utils import timezone

from personas.commands import Command, execute
from personas.ledger import Actor
from personas.models import BatonNow, Event, Outbox, Receipt, Stream, User
from pipelines.runs.actions import gates, steps
from pipelines.runs.models import (
    Attempt,
    Check,
    Decision,
    Gate,
    HandOff,
    Limit,
    Run,
    Stage,
    Step,
    WorkItem,
)
from pipelines.usecases.actions import Wish, delegate
from tests.cast import Cast
from tests.domain import engine as f

Named = tuple[str, int]
TESTER = Actor("service", "test")


def statement(sql: str, values: list[int] | None = None) -> None:
    """Run SQL as the owner of the tables."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql, values)


@contextmanager
def unguarded(table: str) -> Iterator[None]:
    """Switch a table's triggers off, and on again."""
    statement(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    statement(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def change(row: Run | Stage | Step | Attempt | WorkItem | Gate, **columns: object) -> None:
    """Change a row, whatever state it is in."""
    with unguarded(row._meta.db_table):
        type(row).objects.filter(pk=row.pk).update(**columns)


def tell(
    run: Run,
    event: str,
    subject: Named = ("", 0),
    *,
    change: tuple[str, str] = ("", ""),
    actor: Actor = TESTER,
) -> Event:
    """Append an event, properly chained."""

    def body(command: Command, _locked: None) -> dict[str, object]:
        command.recorder.record(
            run.stream, event, subject=subject, before=change[0], after=change[1]
        )
        return {}

    execute(actor=actor, name="plant", lock=lambda: None, body=body)
    return f.events_of(run)[-1]


# --- where things stand ------------------------------------------------------------------------


def two(**of_gate: object) -> list[dict[str, object]]:
    """Two stages: what Dmitri makes and Sofia reviews, then what Amara goes on with."""
    work = [f.step("work", params={"message": uuid4().hex})]
    first = f.stage("one", "DE", steps=work, items=[f.form("note")], gate=f.gate("DS", **of_gate))
    return [first, f.stage("two", "BA", needs=["one"])]


def at_gate(cast: Cast, **of_gate: object) -> Run:
    """A run whose first stage is in review."""
    run = f.run(cast, *two(**of_gate))
    f.work(cast, run)
    return run


def approved(cast: Cast) -> Run:
    """A run whose first stage Sofia has approved; its hand-off is on offer."""
    run = at_gate(cast)
    f.decide(cast.sofia, f.gate_of(run), key=uuid4().hex)
    return run


def ended(cast: Cast) -> Run:
    """A run that went through a failure, a retry, a send-back and a hand-off to its end."""
    run = f.run(cast, *two())
    f.fail(f.claim(), retryable=True)
    Step.objects.filter(run=run).update(retry_at=BatonNow())
    from_wait = f.step_of(run, "work")
    steps.wake(step_id=from_wait.pk)
    f.work(cast, run)
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    f.work(cast, run)
    f.decide(cast.sofia, f.gate_of(run), key=uuid4().hex)
    f.hand_over(cast.dmitri, cast.amara, run)
    f.work(cast, run)
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"
    return run


def accepted(run: Run) -> Attempt:
    """The attempt whose result was accepted last."""
    return Attempt.objects.filter(run=run, state="SUCCEEDED", cached_from=None).latest("id")


def further(attempt: Attempt, **columns: object) -> Attempt:
    """One more attempt of the same step."""
    values = {
        field.attname: getattr(attempt, field.attname)
        for field in Attempt._meta.concrete_fields
        if not field.primary_key
    }
    made = Attempt.objects.create(**{**values, "number": attempt.number + 1, **columns})
    tell(attempt.run, "attempt.queue", ("attempt", made.pk), change=("", "QUEUED"))
    return made


# --- the plants --------------------------------------------------------------------------------


def two_open_attempts(cast: Cast) -> Named:
    run = f.run(cast, *two())
    statement("DROP INDEX one_open_attempt")
    further(f.attempt_of(run, "work"))
    return "step", f.step_of(run, "work").pk


def two_successes(cast: Cast) -> Named:
    run = approved(cast)
    statement("DROP INDEX one_success")
    again = further(accepted(run))
    tell(run, "attempt.complete", ("attempt", again.pk), change=("RUNNING", "SUCCEEDED"))
    return "step", again.step_id


def a_result_of_another_step(cast: Cast) -> Named:
    run, other = approved(cast), approved(cast)
    step = f.step_of(run, "work", "one")
    # The other's own step keeps it too, so that its attempt stays an accepted one.
    change(step, result_id=f.step_of(other, "work", "one").result_id)
    return "step", step.pk


def a_result_under_an_old_token(cast: Cast) -> Named:
    attempt = accepted(approved(cast))
    change(attempt, token=attempt.token + 1)
    return "attempt", attempt.pk


def a_silent_worker(cast: Cast) -> Named:
    f.run(cast, *two())
    held = f.claim()
    Attempt.objects.filter(pk=held.id).update(lease_until=BatonNow() - timedelta(hours=1))
    return "attempt", held.id


def nobody_poked(cast: Cast) -> Named:
    run = f.run(cast, *two())
    f.perform()
    f.run(cast, *two())
    waiting = Attempt.objects.exclude(run=run).get(state="QUEUED")
    then = BatonNow() - timedelta(minutes=5)
    Attempt.objects.filter(pk=waiting.pk).update(due_at=then, created_at=then)
    return "attempt", waiting.pk


def a_decision_on_another_digest(cast: Cast) -> Named:
    gate = f.gate_of(approved(cast))
    with unguarded("runs_decision"):
        gate.decisions.update(subject_digest="0" * 64)
    return "gate", gate.pk


def a_decision_after_the_end(cast: Cast) -> Named:
    run = approved(cast)
    gate = f.gate_of(run)
    late = Decision.objects.create(
        gate=gate, user=cast.amara, verdict="abstain", subject_digest=gate.subject_digest,
        state="IN_FORCE", command=uuid4(), at=BatonNow(),
    )  # fmt: skip
    tell(run, "decision.decide", ("decision", late.pk), change=("", "IN_FORCE"))
    return "gate", gate.pk


def approved_by_nobody(cast: Cast) -> Named:
    run = approved(cast)
    gate = f.gate_of(run)
    decision = gate.decisions.get()
    with unguarded("runs_decision"):
        gate.decisions.update(state="VOIDED")
    tell(run, "decision.withdraw", ("decision", decision.pk), change=("IN_FORCE", "VOIDED"))
    return "gate", gate.pk


def approved_on_red(cast: Cast) -> Named:
    gate = f.gate_of(approved(cast))
    Check.objects.create(
        run=gate.run, stage=gate.stage, gate=gate, name="red", verdict="fail", blocking=True
    )
    return "gate", gate.pk


def decided_by_an_author(cast: Cast) -> Named:
    gate = f.gate_of(approved(cast))
    decision = gate.decisions.get()
    change(gate, author_ids=[decision.user_id])
    return "decision", decision.pk


def decided_by_who_filled_it_in(cast: Cast) -> Named:
    run = approved(cast)
    change(f.item_of(run, "note"), completed_by=cast.sofia)
    return "decision", f.gate_of(run).decisions.get().pk


def decided_for_an_author(cast: Cast) -> Named:
    """Noor decides as the deputy of Sofia, who made part of it."""
    run = at_gate(cast)
    gate = f.gate_of(run)
    decide_for(cast, gate)
    change(gate, author_ids=[cast.sofia.pk])
    return "decision", gate.decisions.get().pk


def decided_on_work_done_for_them(cast: Cast) -> Named:
    """Somebody filled the form in for Sofia, who then decides."""
    run = approved(cast)
    change(f.item_of(run, "note"), completed_for=cast.sofia)
    return "decision", f.gate_of(run).decisions.get().pk


def decide_for(cast: Cast, gate: Gate) -> None:
    """Sofia is away, and Noor decides for her."""
    now = timezone.now()
    wish = Wish(
        giver=cast.sofia, deputy=cast.noor, persona="DS",
        since=now - timedelta(hours=1), until=now + timedelta(days=1),
    )  # fmt: skip
    delegate(actor=Actor.person(cast.sofia), wish=wish)
    f.decide(cast.noor, gate, on_behalf_of=cast.sofia)


def more_than_a_limit_allows(cast: Cast) -> Named:
    """Two run where one may, although the limit has been known for long."""
    for number in range(2):
        step = f.step("a", params={"message": str(number)})
        f.run(cast, f.stage("one", "BA", steps=[step]))
    f.claim()
    late = f.claim()
    Limit.objects.create(
        kind="queue", key="cpu", at_most=1, changed_at=BatonNow() - timedelta(minutes=1)
    )
    Attempt.objects.filter(pk=late.id).update(started_at=BatonNow() + timedelta(milliseconds=5))
    return "attempt", late.id


def decided_by_a_machine(cast: Cast) -> Named:
    gate = f.gate_of(approved(cast))
    User.objects.filter(pk=cast.sofia.pk).update(is_service=True)
    return "decision", gate.decisions.get().pk


def beyond_the_gate(cast: Cast) -> Named:
    run = at_gate(cast)
    stage = f.stage_of(run, "two")
    change(stage, state="ACTIVE")
    tell(run, "stage.activate", ("stage", stage.pk), change=("PENDING", "ACTIVE"))
    return "stage", stage.pk


def computing_under_review(cast: Cast) -> Named:
    run = at_gate(cast)
    further(f.attempt_of(run, "work", "one"), state="QUEUED")
    return "gate", f.gate_of(run).pk


def approved_by_silence(cast: Cast) -> Named:
    run = at_gate(cast, expires="P1D", on_expire="hold")
    Gate.objects.filter(run=run).update(expires_at=BatonNow() - timedelta(seconds=1))
    gate = f.gate_of(run)
    gates.expire(gate_id=gate.pk)
    change(gate.stage, state="DONE")
    tell(run, "stage.approve", ("stage", gate.stage_id), change=("IN_REVIEW", "DONE"))
    return "gate", gate.pk


def an_item_for_nobody(cast: Cast) -> Named:
    item = f.item_of(f.run(cast, *two()), "note")
    assert item.holder_id is None
    change(item, candidates=[])
    return "work_item", item.pk


def a_forgotten_round(cast: Cast) -> Named:
    stage = f.stage_of(f.run(cast, *two()), "one")
    change(stage, current=False)
    return "stage", stage.pk


def a_stage_without_persona(cast: Cast) -> Named:
    stage = f.stage_of(f.run(cast, *two()), "one")
    statement("ALTER TABLE runs_stage ALTER persona_id DROP NOT NULL")
    change(stage, persona=None, owner=None)
    return "stage", stage.pk


def a_state_without_event(cast: Cast) -> Named:
    run = f.run(cast, *two())
    change(run, state="PAUSED")
    return "run", run.pk


def a_jump(cast: Cast) -> Named:
    item = f.item_of(f.run(cast, *two()), "note")
    change(item, state="ASSIGNED", holder=cast.dmitri)
    tell(item.run, "work_item.resume", ("work_item", item.pk), change=("ON_HOLD", "ASSIGNED"))
    return "work_item", item.pk


def a_missing_event(cast: Cast) -> Named:
    run = f.run(cast, *two())
    gone, after = tell(run, "noted"), tell(run, "noted")
    with unguarded("personas_event"):
        Event.objects.filter(pk=gone.pk).delete()
    return "event", after.pk


def a_wrong_head(cast: Cast) -> Named:
    run = f.run(cast, *two())
    stream = Stream.objects.get(kind="run", key=str(run.pk))
    Stream.objects.filter(pk=stream.pk).update(head="0" * 64)
    return "stream", stream.pk


def by_nobody(cast: Cast) -> Named:
    run = f.run(cast, *two())
    kind = ("run", run.pk)
    moved = ("RUNNING", "RUNNING")
    return "event", tell(run, "run.stage_failed", kind, change=moved, actor=Actor("ghost", "")).pk


def two_receipts(cast: Cast) -> Named:
    approved(cast)
    receipt = Receipt.objects.exclude(key="").latest("id")
    statement("ALTER TABLE personas_receipt DROP CONSTRAINT one_receipt")
    receipt.pk, receipt.command = None, uuid4()
    receipt.save(force_insert=True)
    return "receipt", receipt.pk


def a_receipt_without_answer(cast: Cast) -> Named:
    approved(cast)
    receipt = Receipt.objects.latest("id")
    Receipt.objects.filter(pk=receipt.pk).update(response=None)
    return "receipt", receipt.pk


def a_stuck_run(cast: Cast) -> Named:
    run = f.run(cast, f.stage("one", "DE", items=[f.form("note")]))
    item = f.item_of(run, "note")
    change(item, state="CANCELLED")
    tell(run, "work_item.cancel", ("work_item", item.pk), change=("OPEN", "CANCELLED"))
    with unguarded("personas_event"):
        Event.objects.filter(stream__key=str(run.pk)).update(at=BatonNow() - timedelta(minutes=5))
    return "run", run.pk


def another_plan(cast: Cast) -> Named:
    run = f.run(cast, *two())
    with unguarded("usecases_blueprintversion"):
        statement(
            "UPDATE usecases_blueprintversion SET digest = repeat('0', 64) WHERE id = %s",
            [run.version_id],
        )
    return "run", run.pk


def an_unknown_artefact(cast: Cast) -> Named:
    attempt = accepted(approved(cast))
    change(attempt, outputs={"result": {**attempt.outputs["result"], "digest": "0" * 64}})
    return "attempt", attempt.pk


def an_undelivered_row(cast: Cast) -> Named:
    f.run(cast, *two())
    row = Outbox.objects.latest("id")
    Outbox.objects.filter(pk=row.pk).update(due_at=BatonNow() - timedelta(minutes=5))
    return "outbox", row.pk


def _oid(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)::oid::bigint", [table])
        return int(cursor.fetchone()[0])


def a_trigger_switched_off(cast: Cast) -> Named:
    at_gate(cast)
    statement("ALTER TABLE runs_handoff DISABLE TRIGGER USER")
    return "trigger", _oid(HandOff._meta.db_table)


def too_many_rounds(cast: Cast) -> Named:
    run = at_gate(cast)
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    with unguarded("usecases_blueprintversion"):
        statement(
            "UPDATE usecases_blueprintversion"
            " SET body = jsonb_set(body, '{stages,0,max_rounds}', '1') WHERE id = %s",
            [run.version_id],
        )
    return "stage", f.stage_of(run, "one").pk


def a_long_transaction(cast: Cast) -> Named:
    place = settings.DATABASES["default"]
    name = connection.settings_dict["NAME"]
    other = psycopg2.connect(
        dbname=name, user=settings.APPLICATION_ROLE, host=place["HOST"], port=place["PORT"]
    )
    OPENED.append(other)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid: int = cursor.fetchone()[0]
    time.sleep(0.3)
    return "backend", pid


OPENED: list[psycopg2.extensions.connection] = []

PLANTS: tuple[tuple[str, Callable[[Cast], Named]], ...] = (
    ("I1", two_open_attempts),
    ("I2", two_successes),
    ("I3", a_result_under_an_old_token),
    ("I4", a_silent_worker),
    ("I5", nobody_poked),
    ("I6", a_decision_on_another_digest),
    ("I6", a_decision_after_the_end),
    ("I7", approved_by_nobody),
    ("I7", approved_on_red),
    ("I8", decided_by_an_author),
    ("I8", decided_by_who_filled_it_in),
    ("I8", decided_by_a_machine),
    ("I8", decided_for_an_author),
    ("I8", decided_on_work_done_for_them),
    ("I9", beyond_the_gate),
    ("I10", computing_under_review),
    ("I11", approved_by_silence),
    ("I12", an_item_for_nobody),
    ("I13", a_forgotten_round),
    ("I13", a_stage_without_persona),
    ("I14", a_state_without_event),
    ("I14", a_jump),
    ("I14", a_missing_event),
    ("I14", a_wrong_head),
    ("I15", by_nobody),
    ("I16", two_receipts),
    ("I16", a_receipt_without_answer),
    ("I17", a_stuck_run),
    ("I18", another_plan),
    ("I19", an_unknown_artefact),
    ("I20", an_undelivered_row),
    ("I21", a_trigger_switched_off),
    ("I22", more_than_a_limit_allows),
    ("I23", too_many_rounds),
    ("I24", a_long_transaction),
)
