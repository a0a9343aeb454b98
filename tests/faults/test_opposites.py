"""People who want opposite things of one thing in the same instant, round after round. F9, F14.

Each is a thread with a connection of its own that goes through the action its button calls. Exactly
one wins a round; everybody else gets a Conflict (or Gone) that names the winner, when, and what the
thing is now.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from personas.commands import Answer
from personas.errors import Conflict, DomainError, Gone
from personas.models import BatonNow, Event, Receipt, User
from pipelines.runs.actions import blind, findings, handoffs, item_moves, items, overrides, runs
from pipelines.runs.actions import help as requests
from pipelines.runs.actions.stages import take
from pipelines.runs.invariants import Scope, check_all
from pipelines.runs.models import Decision, Finding, Gate, Override, Run, WorkItem
from pipelines.usecases.actions import Wish, delegate, end_delegation
from pipelines.usecases.models import BlueprintVersion, Delegation
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.faults.test_decisions_at_once import ThreadPoolExecutor, at_once, cast, closings, pool
from tests.long import at_length

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]
__all__ = ["cast", "pool"]
ROUNDS = at_length(300, else_=40)
FEW = at_length(30, else_=5)
OF_AN_ENGINE = ("I4", "I5", "I17", "I20")
Act = Callable[[], Answer]


def again(run: Run) -> Run:
    """Another run like this one, by the same person on the same use case."""
    version = BlueprintVersion.objects.get(pk=run.version_id)
    made = runs.create(actor=acting(run.created_by), use_case=run.use_case, version=version)
    return Run.objects.get(pk=made.data["run"])


def contest(pool: ThreadPoolExecutor, acts: Sequence[Act]) -> tuple[list[Answer], list[Any]]:
    """Do all at once; returns what was answered and what refused, each refusal a truthful one."""
    answers = at_once(pool, list(acts))
    lost = [one for one in answers if isinstance(one, DomainError)]
    for error in lost:
        assert isinstance(error, Conflict | Gone), (error.code, error.message)
        assert error.data.get("by"), (error.code, error.data)
        assert error.data.get("at"), (error.code, error.data)
        assert error.data.get("state"), (error.code, error.data)
    return [one for one in answers if isinstance(one, Answer)], lost


def one_wins(pool: ThreadPoolExecutor, acts: Sequence[Act]) -> list[Any]:
    """The same, where exactly one may win."""
    won, lost = contest(pool, acts)
    assert (len(won), len(lost)) == (1, len(acts) - 1), [error.message for error in lost]
    return lost


def holds() -> None:
    """No invariant is broken by what happened; those that ask for a living engine have none."""
    broken = [
        one for one in check_all(Scope(full=True)) if not one.holds and one.code not in OF_AN_ENGINE
    ]
    assert not broken, broken


def test_f9_hundreds_of_opposite_decisions_leave_one_closing_each(
    cast: Cast, pool: ThreadPoolExecutor
) -> None:
    """Approve, reject, request changes: by four people who all may, with keys of their own."""
    first = f.run(cast, f.stage("one", "DE", gate=f.gate("DS", on_reject="end_rejected")))
    people = [cast.sofia, cast.noor]
    for number in range(2):
        user = User.objects.create(username=f"ds{number}", name=f"Scientist {number}")
        user.personas.add("DS")
        first.use_case.seats.create(user=user, persona_id="DS")
        people.append(user)
    verdicts = ["approve", "reject", "request_changes", "approve"]
    winners = set()
    for number in range(ROUNDS):
        run = first if number == 0 else again(first)
        f.perform()
        gate = f.gate_of(run)
        turned = verdicts[number % 4 :] + verdicts[: number % 4]
        lost = one_wins(
            pool,
            [
                lambda u=u, v=v, g=gate, n=number: f.decide(u, g, v, key=f"{n}-{u.pk}")
                for u, v in zip(people, turned, strict=True)
            ],
        )
        closed = Gate.objects.get(pk=gate.pk)
        decision = Decision.objects.get(gate=gate)
        assert len(closings(run)) == 1
        assert closed.closed_by == decision.user
        assert {error.data["by"] for error in lost} == {str(decision.user)}
        assert {error.data["at"] for error in lost} == {closed.closed_at}
        assert {error.data["state"] for error in lost} == {closed.state}
        # Only what was done keeps a receipt: who lost may ask again with the same key.
        assert Receipt.objects.filter(key__startswith=f"{number}-").count() == 1
        winners.add(decision.user)
        if Run.objects.get(pk=run.pk).state == "RUNNING":
            runs.cancel(actor=acting(cast.priya), run=run, reason="next round")
    # The people come in the same order each round; the verdicts turn, and would differ anyway.
    assert len(winners) > 1, f"{winners} won every round: nothing was at once"
    holds()


def test_two_override_and_one_decides_at_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    for user in (cast.lena, cast.tomas):
        user.capabilities = ["gate.override"]
        user.save()
    for _ in range(FEW):
        run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS", on_reject="end_rejected")))
        f.perform()
        gate = f.gate_of(run)

        def overrule(user: User, verdict: str, gate: Gate = gate) -> Answer:
            return overrides.override(
                actor=acting(user), gate=gate, verdict=verdict, seen=gate.subject_digest,
                reason="now",
            )  # fmt: skip

        one_wins(
            pool,
            [
                lambda: overrule(cast.lena, "approve"),
                lambda: overrule(cast.tomas, "reject"),
                lambda gate=gate: f.decide(cast.sofia, gate, "approve"),
            ],
        )
        kinds = ("gate.override_approve", "gate.override_reject")
        overruled = [kind for kind in f.events(run) if kind in kinds]
        assert len(closings(run)) + len(overruled) == 1
        assert Override.objects.filter(gate=gate).count() == len(overruled)
    holds()


def test_two_seconds_of_an_override_at_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    """Where two people are asked, the third comes too late."""
    for user in (cast.lena, cast.tomas, cast.priya):
        user.capabilities = ["gate.override"]
        user.save()
    for _ in range(FEW):
        run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS", override="two")))
        f.perform()
        gate = f.gate_of(run)

        def overrule(user: User, gate: Gate = gate) -> Answer:
            return overrides.override(
                actor=acting(user), gate=gate, verdict="approve", seen=gate.subject_digest,
                reason="now",
            )  # fmt: skip

        won, lost = contest(
            pool, [lambda u=u: overrule(u) for u in (cast.lena, cast.tomas, cast.priya)]
        )
        assert (len(won), len(lost)) == (2, 1)
        kept = Override.objects.get(gate=gate)
        assert kept.seconded_by not in (None, kept.by)
        assert f.events(run).count("gate.override_approve") == 1
    holds()


def test_a_blind_gate_is_counted_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    """The last two verdicts come at once, then both confirmations."""
    for _ in range(FEW):
        run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS", "BA", blind=True, expires="P9D")))
        f.perform()
        gate = f.gate_of(run)
        won, _ = contest(
            pool,
            [
                lambda g=gate: f.decide(cast.sofia, g, "approve"),
                lambda g=gate: f.decide(cast.amara, g, "approve"),
            ],
        )
        assert len(won) == 2
        assert f.events(run).count("gate.reveal") == 1
        sure = [
            lambda u=u, g=gate: blind.confirm(actor=acting(u), gate=g)
            for u in (cast.sofia, cast.amara)
        ]
        won, _ = contest(pool, sure)
        assert len(won) == 2
        assert Gate.objects.get(pk=gate.pk).state == "APPROVED"
        assert closings(run) == ["gate.approve"]
    holds()


def test_two_delegations_and_their_end_at_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    """One deputy for one place: the giver and who manages people name two at once."""
    for number in range(FEW):
        since = Event.objects.latest("at").at + timedelta(days=10 * number + 1)

        def name(by: User, deputy: User, since: Any = since) -> Answer:
            wish = Wish(giver=cast.sofia, deputy=deputy, persona="DS", since=since,
                        until=since + timedelta(days=1))  # fmt: skip
            return delegate(actor=acting(by), wish=wish)

        (lost,) = one_wins(
            pool,
            [lambda: name(cast.sofia, cast.noor), lambda: name(cast.priya, cast.noor)],
        )
        assert lost.code == "delegated_already"
        made = Delegation.objects.get(giver=cast.sofia, ended_at=None)

        def end(by: User, made: Delegation = made) -> Answer:
            return end_delegation(actor=acting(by), delegation=made)

        (lost,) = one_wins(pool, [lambda: end(cast.sofia), lambda: end(cast.noor)])
        ended = Delegation.objects.get(pk=made.pk)
        assert (lost.code, lost.data["by"]) == ("delegation_over", str(ended.ended_by))


def test_help_is_accepted_withdrawn_and_answered_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    other = User.objects.create(username="mle2", name="Second engineer")
    other.personas.add("MLE")
    for _ in range(FEW):
        run = f.run(cast, f.stage("one", "BA", items=[f.form("note")]))
        run.use_case.seats.create(user=other, persona_id="MLE")
        take(actor=acting(cast.amara), stage=f.stage_of(run, "one"))
        asked = requests.ask(
            actor=acting(cast.amara), stage=f.stage_of(run, "one"), persona="MLE", question="how?"
        )
        item = WorkItem.objects.get(pk=asked.data["item"])
        (lost,) = one_wins(
            pool,
            [lambda u=u, i=item: items.claim(actor=acting(u), item=i) for u in (cast.lena, other)],
        )
        item.refresh_from_db()
        assert (lost.code, lost.data["by"]) == ("claimed_by_other", str(item.holder))
        answered = {"outcome": "advice", "answer": "trees"}
        one_wins(
            pool,
            [
                lambda i=item, a=answered: f.fill(i.holder, i, **a),
                lambda i=item: requests.withdraw(actor=acting(cast.amara), item=i, reason="solved"),
            ],
        )
        assert WorkItem.objects.get(pk=item.pk).state in ("COMPLETED", "CANCELLED")
    holds()


def test_an_item_is_claimed_assigned_completed_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    for _ in range(FEW):
        run = f.run(cast, f.stage("one", "DS", items=[f.form("brief", skippable=True)]))
        item = f.item_of(run, "brief")
        (lost,) = one_wins(
            pool,
            [
                lambda i=item: items.claim(actor=acting(cast.sofia), item=i),
                lambda i=item: items.claim(actor=acting(cast.noor), item=i),
            ],
        )
        item.refresh_from_db()
        assert lost.data["by"] == str(item.holder)
        one_wins(
            pool,
            [
                lambda i=item: f.fill(i.holder, i),
                lambda i=item: f.fill(i.holder, i, text="another text"),
                lambda i=item: item_moves.skip(actor=acting(cast.priya), item=i, reason="moot"),
            ],
        )
        ends = ("work_item.complete", "work_item.skip")
        assert len([kind for kind in f.events(run) if kind in ends]) == 1
    holds()


def test_a_hand_off_is_accepted_or_returned_or_withdrawn(
    cast: Cast, pool: ThreadPoolExecutor
) -> None:
    endings = set()
    for _ in range(FEW * 2):
        fresh = f.step("work", params={"message": uuid4().hex})
        run = f.run(cast, f.stage("one", "DE", steps=[fresh]), f.stage("two", "DS", needs=["one"]))
        take(actor=acting(cast.dmitri), stage=f.stage_of(run, "one"))
        f.perform()
        passing = f.hand_off_of(run)
        assert passing.state == "OFFERED"
        given = {"hand_off": passing, "reason": "not so"}
        one_wins(
            pool,
            [
                lambda p=passing: handoffs.accept(actor=acting(cast.sofia), hand_off=p),
                lambda g=given: handoffs.return_(
                    actor=acting(cast.noor), reason_code="quality", **g
                ),
                lambda g=given: handoffs.withdraw(actor=acting(cast.dmitri), **g),
            ],
        )
        passing.refresh_from_db()
        endings.add(passing.state)
        answers = [k for k in f.events(run) if k.split(".")[0] == "hand_off"]
        closing = {"hand_off.accept", "hand_off.return", "hand_off.withdraw"}
        assert len([kind for kind in answers if kind in closing]) == 1
    assert endings <= {"ACCEPTED", "RETURNED", "WITHDRAWN"}
    holds()


def test_a_finding_is_resolved_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    for _ in range(FEW):
        run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS")))
        f.perform()
        asked = [{"text": "name a steward", "persona": "BA", "days": 9}]
        gate = f.gate_of(run)
        f.decide(cast.sofia, gate, "approve_with_conditions", conditions=asked)
        finding = Finding.objects.get(run=run)
        (lost,) = one_wins(
            pool,
            [
                lambda u=u, x=finding: findings.resolve(
                    actor=acting(u), finding=x, evidence=f"{u} did it"
                )
                for u in (cast.amara, cast.noor)
            ],
        )
        finding.refresh_from_db()
        assert lost.code == "finding_closed"
        assert lost.data["by"] == str(finding.resolved_by)
        assert finding.evidence == f"{finding.resolved_by} did it"
    holds()


def test_the_clock_of_this_database_is_the_only_one(cast: Cast) -> None:
    """What `at` says in a refusal is the database's time: the winner's own event carries it."""
    run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS")))
    f.perform()
    gate = f.gate_of(run)
    f.decide(cast.sofia, gate)
    with pytest.raises(Conflict) as late:
        f.decide(cast.noor, gate, "reject")
    said = Event.objects.get(type="gate.approve", stream__key=str(run.pk))
    assert late.value.data["at"] == said.at <= Event.objects.annotate(now=BatonNow()).first().now
