"""The ledger: chained, append-only for everybody, sealed, and proof against a planted change."""

import io
from collections.abc import Callable
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from personas import ledger
from personas.commands import Command, execute
from personas.errors import Conflict
from personas.ledger import Actor, last_change
from personas.models import Checkpoint, Event, Outbox, Stream
from pipelines.runs.actions import runs
from pipelines.runs.models import Gate, Run
from pipelines.usecases.actions import give_seat
from tests.cast import Cast, acting
from tests.domain import engine as f

Plant = Callable[[str], None]


@pytest.fixture
def plant(db: None) -> Plant:
    """Change the ledger as somebody could who owns the database."""

    def change(sql: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE personas_event DISABLE TRIGGER USER")
            cursor.execute("ALTER TABLE personas_checkpoint DISABLE TRIGGER USER")
            cursor.execute(sql)

    return change


def recorded(stream: str = "1", count: int = 3, **data: object) -> Stream:
    """A stream with some events."""

    def body(command: Command, _locked: None) -> dict[str, object]:
        for number in range(count):
            command.recorder.record(("test", stream), "noted", data={"number": number, **data})
        return {}

    execute(actor=Actor("timer", "test"), name="note", lock=lambda: None, body=body)
    return Stream.objects.get(kind="test", key=stream)


def test_numbers_have_no_gaps_and_the_head_names_the_last(db: None) -> None:
    recorded(count=2)
    stream = recorded(count=3)
    events = list(stream.events.order_by("seq"))
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert (stream.seq, stream.head) == (5, events[-1].digest)
    assert [event.previous for event in events] == ["", *[e.digest for e in events[:-1]]]
    assert ledger.verify() is None


@pytest.mark.parametrize(
    "value",
    [1e16, 1e22, -1e300, 1e-7, -0.0, 0.1 + 0.2, 10**30, {2: "b", 10: "a"}, "ü\u2028", UUID(int=5)],
    ids=repr,
)
def test_what_the_database_gives_back_hashes_to_the_same(db: None, value: object) -> None:
    recorded(data=value)
    assert ledger.verify() is None


def test_a_whole_run_verifies(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS")), f.stage("two", "BA", needs=["one"]))
    f.perform()
    f.decide(cast.sofia, f.gate_of(run), reason='"quoted", ümlaut')
    assert ledger.verify() is None
    assert all(event.actor_name and event.command for event in f.events_of(run))


@pytest.mark.parametrize(
    ("sql", "seq", "rule"),
    [
        ("UPDATE personas_event SET data = '{\"number\": 9}' WHERE seq = 2", 2, "does not hash"),
        ("UPDATE personas_event SET actor_name = 'nobody' WHERE seq = 1", 1, "does not hash"),
        ("UPDATE personas_event SET at = at + interval '1 s' WHERE seq = 3", 3, "does not hash"),
        ("DELETE FROM personas_event WHERE seq = 2", 2, "gap"),
        ("DELETE FROM personas_event WHERE seq = 3", 4, "missing"),
        ("UPDATE personas_event SET previous = 'x' WHERE seq = 2", 2, "previous digest"),
    ],
)
def test_a_planted_change_is_named(db: None, plant: Plant, sql: str, seq: int, rule: str) -> None:
    recorded()
    plant(sql)
    found = ledger.verify()
    assert found is not None
    assert found.stream == "test:1"
    assert rule in found.rule
    if rule != "missing":
        assert found.seq == seq


def test_a_chain_made_anew_contradicts_its_seal(db: None, plant: Plant) -> None:
    """Who rewrites a whole chain, digests and all, is given away by the checkpoint."""
    stream = recorded()
    assert ledger.seal() is not None
    plant("DELETE FROM personas_event")
    Stream.objects.filter(pk=stream.pk).update(seq=0, head="")
    recorded(number=7)
    assert ledger.verify_stream(Stream.objects.get(pk=stream.pk)) is None
    found = ledger.verify()
    assert found is not None
    assert (found.stream, found.seq) == ("test:1", 3)
    assert "differs from checkpoint" in found.rule


def test_a_changed_seal_is_named(db: None, plant: Plant) -> None:
    recorded()
    ledger.seal()
    recorded()
    ledger.seal()
    plant("UPDATE personas_checkpoint SET heads = '{}' WHERE id = (SELECT min(id) FROM"
          " personas_checkpoint)")  # fmt: skip
    found = ledger.verify()
    assert found is not None
    assert (found.stream, found.seq) == ("checkpoints", 1)


def test_a_seal_covers_what_moved_and_chains(db: None) -> None:
    recorded("1")
    recorded("2")
    first = ledger.seal()
    assert first is not None
    assert ledger.seal() is None
    moved = recorded("2")
    second = ledger.seal()
    assert second is not None
    assert second.heads == {str(moved.pk): [moved.seq, moved.head]}
    assert second.previous == first.digest
    assert Checkpoint.objects.count() == 2


def test_the_command_says_what_holds_and_what_is_broken(db: None, plant: Plant) -> None:
    recorded()
    out, err = io.StringIO(), io.StringIO()
    call_command("verify_ledger", stdout=out)
    assert "The ledger holds: 3 events in 1 streams" in out.getvalue()
    plant("UPDATE personas_event SET type = 'other' WHERE seq = 2")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", stderr=err)
    assert ended.value.code == 1
    assert "test:1, event 2" in err.getvalue()


# --- append-only ---------------------------------------------------------------------------------


@pytest.fixture
def application(db: None) -> str:
    """Act as the application's role, which owns no table."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {settings.APPLICATION_ROLE}")
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


FORBIDDEN = [
    ("UPDATE personas_event SET type = 'x'", "Cannot update"),
    ("DELETE FROM personas_event", "Cannot update or delete"),
    ("TRUNCATE personas_event CASCADE", "permission denied"),
    ("ALTER TABLE personas_event DISABLE TRIGGER ALL", "must be owner"),
    ("SET session_replication_role = replica", "permission denied"),
    ("UPDATE personas_checkpoint SET root = 'x'", "Cannot update"),
    ("DELETE FROM personas_checkpoint", "Cannot update or delete"),
]


@pytest.mark.parametrize(("sql", "answer"), FORBIDDEN, ids=[sql for sql, _ in FORBIDDEN])
def test_the_application_only_appends(db: None, sql: str, answer: str, request: object) -> None:
    recorded()
    ledger.seal()
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {settings.APPLICATION_ROLE}")
        with pytest.raises(DatabaseError, match=answer), transaction.atomic():
            cursor.execute(sql)
        cursor.execute("RESET ROLE")
    recorded("after")


def test_the_application_may_work(cast: Cast, application: str) -> None:
    assert application == settings.APPLICATION_ROLE
    run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS")))
    f.perform()
    f.decide(cast.sofia, f.gate_of(run))
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"


def test_what_is_decided_stays(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS")))
    f.perform()
    f.decide(cast.sofia, f.gate_of(run))
    for sql in (
        "UPDATE runs_gate SET closing_reason = 'x'",
        "UPDATE runs_decision SET verdict = 'reject'",
        "DELETE FROM runs_decision",
        "UPDATE runs_attempt SET facts = '{}'",
    ):
        with (
            connection.cursor() as cursor,
            pytest.raises(DatabaseError, match="Cannot"),
            transaction.atomic(),
        ):
            cursor.execute(sql)
    assert Gate.objects.get().closing_reason == ""
    assert Run.objects.get().state == "SUCCEEDED"


def test_every_change_of_state_is_an_event(cast: Cast) -> None:
    """Replaying `after` of each subject's last event gives the present states."""
    run = f.run(cast, f.stage("one", "DE", items=[f.form("note")], gate=f.gate("DS")),
                f.stage("two", "BA", needs=["one"]))  # fmt: skip
    f.work(cast, run)
    f.decide(cast.sofia, f.gate_of(run), "request_changes")
    f.work(cast, run)
    f.decide(cast.sofia, f.gate_of(run))
    f.work(cast, run)
    last = {(e.subject, e.subject_id): e.after for e in f.events_of(run) if e.after}
    tables = {"stage": run.stages, "step": run.steps, "attempt": run.attempts,
              "work_item": run.items, "gate": run.gates, "hand_off": run.hand_offs}  # fmt: skip
    for kind, rows in tables.items():
        for row in rows.all():
            assert last[kind, row.pk] == row.state, (kind, row)
    assert last["run", run.pk] == Run.objects.get(pk=run.pk).state


def test_the_outbox_row_comes_with_its_event(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS")))
    f.perform()
    topics = Outbox.objects.filter(event__stream__key=str(run.pk)).values_list("topic", flat=True)
    assert {"run.created", "stage.active", "gate.open"} <= set(topics)
    assert Event.objects.filter(type="gate.open").count() == 1


def test_a_refusal_names_the_last_change_of_what_it_is_about(db: None) -> None:
    """Not the last event about anything: a version pinned, a token issued to the same person."""
    cast = Cast.make()
    made = f.run(cast, f.stage("one", "BA", items=[f.form("note")]))
    runs.pause(actor=acting(cast.priya), run=made, reason="holiday")

    def body(command: Command, _locked: None) -> dict[str, object]:
        command.recorder.record(made.stream, "run.version_pinned", subject=("run", made.pk))
        return {}

    execute(actor=acting(cast.amara), name="later", lock=lambda: None, body=body)
    assert last_change(made.stream, ("run", made.pk))["by"] == str(cast.priya)
    assert last_change(made.stream, ("gate", 10**9))["by"] == str(cast.priya)
    assert last_change(("person", str(cast.amara.pk)), ("giver", cast.amara.pk)) == {}
    with pytest.raises(Conflict) as refused:
        give_seat(actor=acting(cast.priya), use_case=made.use_case, user=cast.sofia, persona="DS")
    assert refused.value.data["by"] == str(cast.amara)  # who gave it, not who was here last
