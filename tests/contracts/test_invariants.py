"""The invariants: silent on what was really played; each planted violation is named, alone."""

import io
import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from personas.models import BatonNow, Outbox, User
from pipelines.artefacts.actions import storage
from pipelines.runs import quorum, reviews
from pipelines.runs.actions import runs
from pipelines.runs.invariants import (
    INVARIANTS,
    NOT_YET,
    Checker,
    Invariant,
    Offender,
    Result,
    Scope,
    check,
    check_all,
    record,
)
from pipelines.runs.models import Attempt, Decision, Gate, Run, Verification, WorkItem
from pipelines.runs.queries.verification import last_verified
from tests.cast import PEOPLE, Cast, acting
from tests.contracts import plants
from tests.contracts.plants import PLANTS, Named
from tests.domain import engine as f

CODES = [f"I{number}" for number in range(1, 25)]


@pytest.fixture(autouse=True)
def _end_transactions() -> Iterator[None]:
    yield
    while plants.OPENED:
        plants.OPENED.pop().close()


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT baton_now()")
        found: datetime = cursor.fetchone()[0]
    return found


def look(*, full: bool, since: datetime | None = None) -> dict[str, Result]:
    """What does not hold, by code."""
    since = since or (None if full else now() - timedelta(hours=1))
    results = check_all(Scope(full=full, since=since, known=record.known()))
    assert [one.problem for one in results if one.problem] == []
    return {one.code: one for one in results if not one.holds}


def verify(*options: str) -> tuple[int, str]:
    """Exit status and output of `manage.py verify`."""
    out = io.StringIO()
    try:
        call_command("verify", *options, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_every_invariant_is_asked_or_said_not_to_be() -> None:
    asked = {one.code for one in INVARIANTS}
    assert len(asked) == len(INVARIANTS)
    assert [code for code in CODES if code not in asked] == [
        code for code in NOT_YET if code not in asked
    ]
    assert {code for code, _ in PLANTS} == asked


@pytest.mark.parametrize("full", [False, True], ids=["quick", "full"])
def test_what_was_really_played_is_silent_also_to_the_application(cast: Cast, full: bool) -> None:
    plants.ended(cast)
    plants.at_gate(cast)
    plants.approved(cast)
    f.run(cast, *plants.two())
    f.claim()
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {settings.APPLICATION_ROLE}")
    assert {code: result.offenders for code, result in look(full=full).items()} == {}


@pytest.mark.parametrize(("code", "plant"), PLANTS, ids=[f"{c} {p.__name__}" for c, p in PLANTS])
def test_a_planted_violation_is_named_and_no_other(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, code: str, plant: Callable[[Cast], Named]
) -> None:
    monkeypatch.setattr(check, "LONGEST_TRANSACTION", 0.2)
    plants.at_gate(cast)  # something healthy beside it
    named = plant(cast)
    for full in (False, True):
        broken = look(full=full)
        assert {one: result.offenders for one, result in broken.items() if one != code} == {}
        assert code in broken, f"not seen by the {'full' if full else 'quick'} form"
        assert {(one.what, one.id) for one in broken[code].offenders} == {named}
        assert all(one.wrong for one in broken[code].offenders)


def test_a_gate_closed_twice_contradicts_events_too(cast: Cast) -> None:
    run = plants.approved(cast)
    gate = f.gate_of(run)
    plants.tell(run, "gate.reject", ("gate", gate.pk), change=("OPEN", "APPROVED"))
    broken = look(full=True)
    assert set(broken) == {"I6", "I14"}
    assert "2 events close it" in str(broken["I6"].offenders[0])


def test_a_result_of_another_step_is_no_result(cast: Cast) -> None:
    what, pk = plants.a_result_of_another_step(cast)
    (found,) = look(full=True)["I2"].offenders
    assert (found.what, found.id) == (what, pk)


def test_changed_content_is_found_by_the_full_form(cast: Cast) -> None:
    attempt = plants.accepted(plants.approved(cast))
    store: Any = storage()
    path = store.path(attempt.outputs["result"]["digest"])
    content = path.read_bytes()
    path.chmod(0o644)
    try:
        path.write_bytes(b"something else")
        (found,) = look(full=True)["I19"].offenders
        assert (found.what, found.id) == ("attempt", attempt.pk)
        assert "now hashes to" in found.wrong
        assert "I19" not in look(full=False)
    finally:
        path.write_bytes(content)
        path.chmod(0o444)


# --- what time alone must not break --------------------------------------------------------------


def aged(cast: Cast, *, alive: bool = True) -> Run:
    """A run with an attempt that nobody was woken for, while a worker is alive or is not."""
    if alive:
        plants.approved(cast)
        f.perform()
    run = f.run(cast, *plants.two())
    then = BatonNow() - timedelta(minutes=5)
    Attempt.objects.filter(run=run, state="QUEUED").update(due_at=then, created_at=then)
    return run


def test_without_workers_nobody_is_missed(cast: Cast) -> None:
    aged(cast, alive=False)
    assert look(full=False) == {}
    f.claim()  # now one holds a lease, and another attempt waits
    aged(cast, alive=False)
    assert list(look(full=False)) == ["I5"]


def test_a_pause_does_not_count_as_waiting(cast: Cast) -> None:
    run = aged(cast)
    assert list(look(full=False)) == ["I5"]
    runs.pause(actor=acting(cast.priya), run=run, reason="lunch")
    assert look(full=False) == {}
    runs.resume(actor=acting(cast.priya), run=run)
    assert look(full=False) == {}


@pytest.mark.parametrize(("seconds", "codes"), [(55, []), (70, ["I4"])])
def test_the_sweeper_has_its_time(cast: Cast, seconds: int, codes: list[str]) -> None:
    f.run(cast, *plants.two())
    lease = BatonNow() - timedelta(seconds=seconds)
    Attempt.objects.filter(pk=f.claim().id).update(lease_until=lease)
    assert list(look(full=False)) == codes


def test_a_row_that_is_tried_again_later_is_not_late(cast: Cast) -> None:
    plants.an_undelivered_row(cast)
    assert list(look(full=False)) == ["I20"]
    Outbox.objects.update(due_at=BatonNow() + timedelta(minutes=5), tries=3)
    assert look(full=False) == {}


# --- policies, against the code that closes gates -----------------------------------


def test_the_policy_is_judged_as_the_tally_judges_it(cast: Cast) -> None:
    """Random rules and approvals: SQL (Hall's theorem) and Python (augmenting paths) agree."""
    gate = f.gate_of(plants.approved(cast))
    people = [getattr(cast, login) for login in itertools.islice(PEOPLE, 5)]
    dice = random.Random(2013)
    codes = ["BA", "DE", "DS", "OPS"]
    invariant = next(one for one in INVARIANTS if one.code == "I7")
    agreed = {True: 0, False: 0}
    given = gate.decisions.get()
    with plants.unguarded("runs_decision"), plants.unguarded("runs_gate"):
        for _ in range(80):
            rules = [
                {"persona": dice.choice(codes), "min": dice.randint(1, 2)}
                for _ in range(dice.randint(0, 3))
            ]
            if len({rule["persona"] for rule in rules}) == len(rules):
                rules = [_shared_out(rule, people, dice) for rule in rules]
            policy = {**gate.policy, "rules": rules, "allow_shared": dice.random() < 0.3}
            worn = [
                dice.sample(codes, dice.randint(1, 3)) for _ in range(dice.randint(0, len(people)))
            ]
            plants.statement("DELETE FROM runs_decision")
            Decision.objects.bulk_create(
                Decision(gate=gate, user=user, personas=personas, state="IN_FORCE",
                         verdict="approve", subject_digest=gate.subject_digest,
                         command=given.command, at=given.at)
                for user, personas in zip(people, worn, strict=False)
            )  # fmt: skip
            Gate.objects.filter(pk=gate.pk).update(policy=policy)
            (result,) = check_all(Scope(full=True), [invariant])
            assert not result.problem
            votes = zip(worn, people, strict=False)
            counted = [quorum.counting(policy, held, {user.pk}) for held, user in votes]
            met = reviews.satisfied(policy, counted)
            assert result.holds == met, (policy, worn, result.offenders)
            agreed[met] += 1
    assert min(agreed.values()) > 10


def _shared_out(rule: dict[str, Any], people: list[User], dice: random.Random) -> dict[str, Any]:
    """Now and then a share of some of the people."""
    if dice.random() < 0.5:
        return rule
    base = [user.pk for user in dice.sample(people, dice.randint(0, len(people)))]
    return quorum.frozen({**rule, "percent": dice.choice((20, 34, 50, 100))}, base)


# --- the forms ----------------------------------------------------------------------


def test_the_quick_form_looks_at_what_moved_and_at_what_was_broken(cast: Cast) -> None:
    _, pk = plants.decided_by_an_author(cast)
    later = now() + timedelta(minutes=1)
    assert look(full=False, since=later) == {}
    assert verify("--full")[0] == 1
    (found,) = look(full=False, since=later)["I8"].offenders
    assert found.id == pk


@pytest.mark.parametrize(("code", "plant"), PLANTS, ids=[f"{c} {p.__name__}" for c, p in PLANTS])
def test_what_was_broken_is_looked_at_until_it_is_mended(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, code: str, plant: Callable[[Cast], Named]
) -> None:
    monkeypatch.setattr(check, "LONGEST_TRANSACTION", 0.2)
    _, pk = plant(cast)
    record.write("full", [look(full=True)[code]], began_at=now(), seconds=0.0)
    found = look(full=False, since=now() + timedelta(minutes=1))
    assert [one.id for one in found[code].offenders] == [pk]


def test_a_statement_that_is_too_slow_is_not_a_pass(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "QUICK_SECONDS", 0.2)
    slow = Invariant("I1", "Slow.", "SELECT 'step', 1, 1, pg_sleep(5)::text")
    wrong = Invariant("I2", "Wrong.", "SELECT no_such_column")
    writes = Invariant("I3", "Writes.", "DELETE FROM runs_check RETURNING 'check', id, 1, ''")
    results = check_all(Scope(full=False, since=now()), [slow, wrong, writes])
    assert [one.holds for one in results] == [False] * 3
    assert results[0].problem == "no answer within 0.2 s"
    assert "no_such_column" in results[1].problem
    assert "read-only" in results[2].problem
    f.run(cast, *plants.two())  # and the connection still writes


# --- the command --------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--full",)], ids=["quick", "full"])
def test_the_command_ends_with_0_when_everything_holds(
    cast: Cast, options: tuple[str, ...]
) -> None:
    plants.ended(cast)
    status, said = verify(*options)
    assert status == 0, said
    assert "I14  holds" in said
    assert "ledger  holds" in said
    assert "I22  not looked at: " in said


def test_the_command_names_what_breaks(cast: Cast) -> None:
    _, pk = plants.approved_by_nobody(cast)
    status, said = verify()
    assert status == 1
    assert "I7  1 broken" in said
    assert f"gate {pk} of run" in said
    status, said = verify("--json", "--full")
    assert status == 1
    answer = json.loads(said)
    assert (answer["holds"], answer["form"], answer["ledger"]) == (False, "full", None)
    broken = {one["code"]: one for one in answer["invariants"] if not one["holds"]}
    assert list(broken) == ["I7"]
    assert broken["I7"]["offenders"][0]["id"] == pk
    assert answer["not_looked_at"].keys() == NOT_YET.keys()


@pytest.mark.parametrize("options", [("--json",), ("--json", "--full")], ids=["quick", "full"])
def test_the_command_verifies_the_ledger_too(cast: Cast, options: tuple[str, ...]) -> None:
    run = plants.approved(cast)
    with plants.unguarded("personas_event"):
        plants.statement("UPDATE personas_event SET data = '{}' WHERE type = 'gate.open'")
    status, said = verify(*options)
    answer = json.loads(said)
    assert status == 1
    assert [one["code"] for one in answer["invariants"] if not one["holds"]] == []
    assert answer["ledger"]["stream"] == f"run:{run.pk}"
    assert "does not hash" in answer["ledger"]["rule"]


# --- the engine's part, the console and the figures ---------------------------------


def checker() -> Checker:
    return Checker(stopping=threading.Event())


def test_the_engine_looks_once_a_minute_whoever_asks(cast: Cast) -> None:
    plants.ended(cast)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {settings.APPLICATION_ROLE}")
    assert last_verified() is None
    first = checker().look()
    assert first is not None
    assert [one for one in first if not one.holds] == []
    assert checker().look() is None
    found = last_verified()
    assert found is not None
    assert found.broken == ()
    assert [one.code for one in found.invariants] == [one.code for one in INVARIANTS]
    Verification.objects.update(began_at=now() - timedelta(seconds=61))
    assert checker().look() is not None


def test_the_engine_says_a_violation_once_and_remembers_since_when(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    what, pk = plants.an_item_for_nobody(cast)
    since = []
    for _ in range(2):
        assert checker().look() is not None
        Verification.objects.update(began_at=now() - timedelta(seconds=61))
        entry = Verification.objects.get(form="quick").results["I12"]
        since.append(entry["since"])
        assert (entry["offenders"], entry["rows"][0][:2]) == (1, [what, pk])
    assert since[0] == since[1]
    said = [one.getMessage() for one in caplog.records if "I12" in one.getMessage()]
    assert len(said) == 1
    plants.change(WorkItem.objects.get(pk=pk), candidates=["DE"])
    checker().look()
    assert Verification.objects.get(form="quick").results["I12"]["since"] is None


def test_a_look_begins_where_the_last_one_did_with_some_slack() -> None:
    moment = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    assert record.since(moment, None) == moment - timedelta(hours=1)
    minute = moment - timedelta(minutes=1)
    assert record.since(moment, minute) == minute - timedelta(minutes=2)
    assert record.since(moment, moment - timedelta(days=9)) == moment - timedelta(hours=1)


def test_the_console_and_the_figures_show_it(cast: Cast, client: Client) -> None:
    client.force_login(cast.priya)
    page = client.get("/console/").content.decode()
    assert "The engine has not checked them yet" in page
    assert "baton_invariant_offenders{" not in client.get("/metrics").content.decode()
    plants.approved_by_nobody(cast)
    checker().look()
    page = client.get("/console/").content.decode()
    shown = page.split('id="invariants"')[1]
    assert "Checked 0 s ago" in shown
    assert "its approvals do not fill" in shown
    figures = client.get("/metrics").content.decode()
    assert 'baton_invariant_offenders{code="I7"} 1.0' in figures
    assert 'baton_invariant_offenders{code="I14"} 0.0' in figures
    assert "baton_invariants_unchecked 0.0" in figures
    assert "baton_invariants_age_seconds" in figures


def test_what_could_not_be_checked_has_no_number(cast: Cast, client: Client) -> None:
    unknown = Result("I9", "...", problem="no answer within 5 s")
    broken = Result("I1", "...", offenders=(Offender("step", 1, 1, "x"),))
    record.write("quick", [unknown, broken], began_at=now(), seconds=5.0)
    figures = client.get("/metrics").content.decode()
    assert 'code="I9"' not in figures
    assert "baton_invariants_unchecked 1.0" in figures
    client.force_login(cast.priya)
    assert "not checked: no answer within 5 s" in client.get("/console/").content.decode()
