"""Many people at one gate in the same instant, each on a connection of their own: F9, F10, F11."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from personas.errors import DomainError
from personas.models import Event, User
from pipelines.runs.actions import handoffs, items
from pipelines.runs.models import Decision, Gate, Run
from pipelines.usecases.models import Seat
from tests.cast import Cast, acting
from tests.domain import engine as f

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
ROUNDS = 10


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The people, committed."""
    return Cast.make()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that close their connections, or the database could not be emptied."""
    with ThreadPoolExecutor(max_workers=10) as made:
        yield made


def at_once(pool: ThreadPoolExecutor, acts: list[Callable[[], Any]]) -> list[Any]:
    """Do all of it at the same moment; returns answers and refusals in order."""
    barrier = threading.Barrier(len(acts))

    def do(act: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return act()
        except DomainError as error:
            return error
        finally:
            connection.close()

    return [future.result(timeout=60) for future in [pool.submit(do, act) for act in acts]]


def crowd(cast: Cast, run: Run, count: int) -> list[User]:
    """So many data scientists with a seat."""
    people = []
    for number in range(count):
        user, _ = User.objects.get_or_create(
            username=f"ds{number}", defaults={"name": f"Scientist {number}"}
        )
        user.personas.add("DS")
        Seat.objects.create(use_case=run.use_case, user=user, persona_id="DS")
        people.append(user)
    return people


def under_review(cast: Cast, *rules: Any) -> Run:
    """A run whose only stage waits for decisions."""
    run = f.run(cast, f.stage("one", "DE", gate=f.gate(*rules, on_reject="end_rejected")))
    f.perform()
    return run


def closings(run: Run) -> list[str]:
    """The events that closed the run's gate."""
    kinds = {"gate.approve", "gate.reject", "gate.request_changes"}
    return [kind for kind in f.events(run) if kind in kinds]


@pytest.mark.parametrize("count", [2, 3, 10])
def test_f9_opposite_decisions_close_once(cast: Cast, pool: ThreadPoolExecutor, count: int) -> None:
    for _ in range(ROUNDS if count < 10 else 3):
        run = under_review(cast, "DS")
        people, gate = crowd(cast, run, count), f.gate_of(run)
        verdicts = ["approve", "reject"] * count
        answers = at_once(
            pool,
            [
                lambda user=user, verdict=verdict, gate=gate: f.decide(user, gate, verdict)
                for user, verdict in zip(people, verdicts, strict=False)
            ],
        )
        winners = [a for a in answers if not isinstance(a, DomainError)]
        losers = [a for a in answers if isinstance(a, DomainError)]
        closed = Gate.objects.get(pk=gate.pk)
        assert len(winners) == len(closings(run)) == Decision.objects.filter(gate=gate).count() == 1
        assert {error.code for error in losers} == {"already_decided"}
        assert {error.data["by"] for error in losers} == {str(closed.closed_by)}


def test_f10_a_quorum_closes_once_and_never_sticks(cast: Cast, pool: ThreadPoolExecutor) -> None:
    for _ in range(5):
        run = under_review(cast, ("DS", 2), "BA")
        people, gate = [*crowd(cast, run, 3), cast.amara, cast.noor], f.gate_of(run)
        answers = at_once(pool, [lambda u=u, g=gate: f.decide(u, g) for u in people])
        assert Gate.objects.get(pk=gate.pk).state == "APPROVED"
        assert closings(run) == ["gate.approve"]
        codes = Counter(a.code for a in answers if isinstance(a, DomainError))
        assert set(codes) <= {"already_decided"}
        counted = Decision.objects.filter(gate=gate).count()
        assert counted == len(people) - codes.total()
        assert 3 <= counted <= 5


def test_f11_a_double_click_decides_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    for keys in (["k"] * 5, ["a", "b", "c", "d", "e"], [None] * 5):
        run = under_review(cast, ("DS", 2))
        gate = f.gate_of(run)
        answers = at_once(pool, [lambda k=k, g=gate: f.decide(cast.sofia, g, key=k) for k in keys])
        assert not [a for a in answers if isinstance(a, DomainError)]
        assert all(a.data == answers[0].data for a in answers)
        assert Decision.objects.filter(gate=gate).count() == 1
        decided = Event.objects.filter(type="decision.decide", stream__key=str(run.pk))
        assert decided.count() == 1


def test_f14_two_claim_one_item(cast: Cast, pool: ThreadPoolExecutor) -> None:
    for _ in range(ROUNDS):
        run = f.run(cast, f.stage("one", "DS", items=[f.form("brief")]))
        item = f.item_of(run, "brief")
        answers = at_once(pool, [
            lambda u=u, i=item: items.claim(actor=acting(u), item=i)
            for u in (cast.sofia, cast.noor)
        ])  # fmt: skip
        assert [getattr(a, "code", "won") for a in answers].count("claimed_by_other") == 1
        assert f.item_of(run, "brief").holder in (cast.sofia, cast.noor)


def test_two_accept_one_hand_off(cast: Cast, pool: ThreadPoolExecutor) -> None:
    run = f.run(cast, f.stage("one", "DE"), f.stage("two", "DS", needs=["one"]))
    f.perform()
    passing = f.hand_off_of(run)
    passing.offered_by = cast.dmitri
    passing.save()
    answers = at_once(pool, [
        lambda u=u: handoffs.accept(actor=acting(u), hand_off=passing)
        for u in (cast.sofia, cast.noor)
    ])  # fmt: skip
    lost = [a for a in answers if isinstance(a, DomainError)]
    assert [error.code for error in lost] == ["hand_off_moved_on"]
    assert f.stage_of(run, "two").owner == f.hand_off_of(run).answered_by


def test_one_attempt_is_claimed_once(cast: Cast, pool: ThreadPoolExecutor) -> None:
    for _ in range(ROUNDS):
        f.run(cast, f.stage("one", "BA", steps=[f.step("a", params={"message": "x"})]),
              by=cast.amara)  # fmt: skip
        claimed = at_once(pool, [f.maybe_claim] * 6)
        held = [one for one in claimed if one is not None]
        assert len(held) <= 1
        if held:
            f.fail(held[0])
