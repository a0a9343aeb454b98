"""Percent rules: a share of those of a persona who could decide when the gate opened."""

import threading
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from personas.actions import create_user
from personas.errors import Invalid
from personas.ledger import ENGINE
from personas.models import User
from pipelines.blueprints.digest import digest_of, dump
from pipelines.blueprints.parse import parse
from pipelines.runs.actions import gates
from pipelines.runs.invariants import Scope, check_all
from pipelines.runs.models import Gate, Run
from pipelines.runs.sweeper import Sweeper
from pipelines.usecases.actions import end_seat, give_seat, publish_blueprint
from pipelines.usecases.models import UseCase
from tests.cast import Cast, acting
from tests.domain import engine as f

pytestmark = pytest.mark.django_db


def scientists(cast: Cast, use_case: UseCase, count: int) -> list[User]:
    """So many more data scientists with a seat, beside Sofia and Noor."""
    made = []
    for number in range(count):
        made.append(scientist(f"ds{number}"))
        give_seat(actor=acting(cast.amara), use_case=use_case, user=made[-1], persona="DS")
    return made


def scientist(login: str) -> User:
    create_user(actor=ENGINE, username=login, name=login.upper(), personas=["DS"])
    return User.objects.get(username=login)


def reviewed(cast: Cast, use_case: UseCase, percent: int, **more: Any) -> Gate:
    """An open gate that asks for that share of the data scientists."""
    rule = {"persona": "DS", "percent": percent}
    body = f.stage("one", "DE", gate={"rules": [rule], "send_back_to": ["one"], **more})
    run = f.run(cast, body, on=use_case)
    f.perform()
    return f.gate_of(run)


def broken(code: str) -> list[int]:
    found = {one.code: one.offenders for one in check_all(Scope(full=True)) if not one.holds}
    return [row.id for row in found.get(code, ())]


def test_it_closes_with_the_share_rounded_up(cast: Cast) -> None:
    use_case = f.use_case(cast)
    more = scientists(cast, use_case, 3)  # five with Sofia and Noor
    gate = reviewed(cast, use_case, 50)
    (rule,) = gate.policy["rules"]
    assert rule["min"] == 3
    assert set(rule["base"]) == {cast.sofia.pk, cast.noor.pk, *(one.pk for one in more)}
    for person in (cast.sofia, cast.noor):
        f.decide(person, gate)
        gate.refresh_from_db()
        assert gate.state == "OPEN"
    f.decide(more[0], gate)
    gate.refresh_from_db()
    assert gate.state == "APPROVED"
    assert broken("I7") == []


def test_the_base_stays_whoever_comes_or_goes(cast: Cast) -> None:
    use_case = f.use_case(cast)
    gate = reviewed(cast, use_case, 100)
    assert gate.policy["rules"][0]["min"] == 2
    late = scientists(cast, use_case, 1)[0]
    f.decide(late, gate)  # has a voice, and is not counted
    f.decide(cast.sofia, gate)
    gate.refresh_from_db()
    assert gate.state == "OPEN"
    end_seat(actor=acting(cast.amara), seat=use_case.seats.get(user=cast.noor, persona="DS"))
    gate.refresh_from_db()
    assert gate.state == "OPEN"
    give_seat(actor=acting(cast.amara), use_case=use_case, user=cast.noor, persona="DS")
    f.decide(cast.noor, gate)
    gate.refresh_from_db()
    assert gate.state == "APPROVED"
    assert broken("I7") == []


def test_a_rejection_of_one_still_rejects(cast: Cast) -> None:
    gate = reviewed(cast, f.use_case(cast), 50)
    f.decide(cast.noor, gate, "reject")
    gate.refresh_from_db()
    assert gate.state == "REJECTED"


def test_whoever_may_not_decide_is_not_counted(cast: Cast) -> None:
    use_case = f.use_case(cast)
    rule = {"persona": "DS", "percent": 100}
    body = f.stage(
        "one",
        "DS",
        items=[f.form("brief")],
        gate={"rules": [rule, {"persona": "BA", "min": 1}], "send_back_to": ["one"]},
    )
    run = f.run(cast, body, on=use_case)
    f.fill(cast.sofia, f.item_of(run, "brief"))
    gate = f.gate_of(run)
    assert gate.policy["rules"][0]["base"] == [cast.noor.pk]
    assert gate.policy["rules"][0]["min"] == 1


def test_when_nobody_is_left_who_counts_the_owner_is_asked(cast: Cast) -> None:
    gate = reviewed(cast, f.use_case(cast), 100)
    f.decide(cast.noor, gate, "abstain")
    assert f.attention(gate.run) == ["gate_stuck"]


def swept() -> None:
    Sweeper(poke=lambda queue, pk: True, stopping=threading.Event()).look_for_stuck()


def test_where_fewer_than_the_least_were_there_whoever_comes_counts(cast: Cast) -> None:
    """Else nobody could ever close it: two are asked for, and one was counted."""
    use_case = f.use_case(cast)
    end_seat(actor=acting(cast.amara), seat=use_case.seats.get(user=cast.noor, persona="DS"))
    rule = {"persona": "DS", "percent": 50, "min": 2}
    body = f.stage("one", "DE", gate={"rules": [rule], "send_back_to": ["one"]})
    run = f.run(cast, body, on=use_case)
    f.perform()
    assert f.gate_of(run).policy["rules"] == [{**rule, "at_least": 2, "base": []}]
    late = scientists(cast, use_case, 1)[0]
    for person in (cast.sofia, late):
        assert f.gate_of(run).state == "OPEN"
        f.decide(person, f.gate_of(run))
    assert f.gate_of(run).state == "APPROVED"
    assert broken("I7") == []


@pytest.mark.parametrize("how", ["seat", "deactivated"])
def test_when_too_few_of_those_counted_are_left_the_owner_is_asked(cast: Cast, how: str) -> None:
    use_case = f.use_case(cast)
    more = scientists(cast, use_case, 3)  # five with Sofia and Noor
    gate = reviewed(cast, use_case, 80)

    def leave(user: User) -> None:
        if how == "deactivated":
            User.objects.filter(pk=user.pk).update(is_active=False)
        else:
            end_seat(actor=acting(cast.amara), seat=use_case.seats.get(user=user, persona="DS"))

    swept()
    leave(more[0])
    swept()
    assert f.attention(gate.run) == []  # four are left of four
    leave(more[1])
    late = scientist("late")
    give_seat(actor=acting(cast.amara), use_case=use_case, user=late, persona="DS")
    swept()
    swept()
    assert f.attention(gate.run) == ["gate_stuck"]


def test_who_decided_and_left_still_counts(cast: Cast) -> None:
    use_case = f.use_case(cast)
    gate = reviewed(cast, use_case, 100)
    f.decide(cast.noor, gate)
    end_seat(actor=acting(cast.amara), seat=use_case.seats.get(user=cast.noor, persona="DS"))
    swept()
    assert f.attention(gate.run) == []
    f.decide(cast.sofia, gate)
    assert f.gate_of(gate.run).state == "APPROVED"


def test_the_next_decision_finds_that_too_few_are_left(cast: Cast) -> None:
    use_case = f.use_case(cast)
    gate = reviewed(cast, use_case, 100)
    end_seat(actor=acting(cast.amara), seat=use_case.seats.get(user=cast.noor, persona="DS"))
    f.decide(cast.sofia, gate)
    assert f.attention(gate.run) == ["gate_stuck"]


def test_a_sealed_gate_says_nothing_of_who_is_left(cast: Cast) -> None:
    use_case = f.use_case(cast)
    rule = {"persona": "DS", "percent": 100}
    gated = {"rules": [rule], "send_back_to": ["one"], "blind": True, "expires": "P9D"}
    run = f.run(cast, f.stage("one", "DE", gate=gated), on=use_case)
    f.perform()
    end_seat(actor=acting(cast.amara), seat=use_case.seats.get(user=cast.noor, persona="DS"))
    swept()
    assert f.attention(run) == []


def test_a_gate_opened_again_counts_anew(cast: Cast) -> None:
    use_case = f.use_case(cast)
    gate = reviewed(cast, use_case, 100, expires="P1D", on_expire="hold")
    scientists(cast, use_case, 2)
    Gate.objects.filter(pk=gate.pk).update(expires_at=gate.opened_at)
    gates.expire(gate_id=gate.pk)
    gates.reopen(actor=acting(cast.priya), gate=gate, reason="more eyes")
    assert f.gate_of(gate.run).policy["rules"][0]["min"] == 4


def test_an_equal_share_of_other_people_carries_over_who_is_counted(cast: Cast) -> None:
    use_case = f.use_case(cast)
    gate = reviewed(cast, use_case, 100, expires="P1D", on_expire="hold")
    f.decide(cast.sofia, gate)
    scientists(cast, use_case, 1)
    Gate.objects.filter(pk=gate.pk).update(expires_at=gate.opened_at)
    gates.expire(gate_id=gate.pk)
    gates.reopen(actor=acting(cast.priya), gate=gate, reason="more eyes")
    fresh = f.gate_of(gate.run)
    assert [d.user for d in fresh.decisions.all()] == [cast.sofia]
    assert (fresh.state, fresh.policy["rules"][0]["min"]) == ("OPEN", 3)


def test_an_approval_short_of_the_share_is_found(cast: Cast) -> None:
    use_case = f.use_case(cast)
    scientists(cast, use_case, 2)
    gate = reviewed(cast, use_case, 50)
    f.decide(cast.sofia, gate)
    gate.refresh_from_db()
    Gate.objects.filter(pk=gate.pk).update(state="APPROVED")
    assert broken("I7") == [gate.pk]
    # Nor does it help to write a smaller number beside the share.
    (rule,) = gate.policy["rules"]
    run = Run.objects.get(pk=gate.run_id)
    other = reviewed(cast, use_case, 50)
    f.decide(cast.sofia, other)
    other.refresh_from_db()
    policy = {**other.policy, "rules": [{**rule, "min": 1}]}
    Gate.objects.filter(pk=other.pk).update(state="APPROVED", policy=policy)
    assert sorted(broken("I7")) == [gate.pk, other.pk]
    assert run.pk != other.run_id


def test_page_and_api_say_how_many_of_whom(client: Client, cast: Cast) -> None:
    use_case = f.use_case(cast)
    scientists(cast, use_case, 3)
    gate = reviewed(cast, use_case, 60)
    late = scientist("late")
    give_seat(actor=acting(cast.amara), use_case=use_case, user=late, persona="DS")
    client.force_login(cast.sofia)
    text = client.get(f"/gates/{gate.pk}/").content.decode()
    assert "3 of 5 DS (60 %)" in text
    assert "3 of 5: 60 % of those who could decide when it opened" in text
    assert "LATE: was not among those counted when the gate opened" in text
    api = APIClient()
    api.force_login(cast.sofia)
    (rule,) = api.get(f"/api/v1/gates/{gate.pk}").json()["policy"]["rules"]
    assert (rule["percent"], rule["min"], len(rule["base"])) == (60, 3, 5)


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        ({"persona": "DS", "percent": 0}, "percent"),
        ({"persona": "DS", "percent": 101}, "percent"),
        ({"persona": "DS", "percent": -1}, "percent"),
        ({"persona": "DS", "percent": "half"}, "percent"),
        ({"persona": "DS", "percent": 12.5}, "percent"),
        ({"persona": "DS", "percent": 50, "min": 0}, "min"),
    ],
)
def test_lint_names_what_is_wrong(rule: dict[str, Any], where: str) -> None:
    body = f.plan(f.stage("one", "DE", gate={"rules": [rule], "send_back_to": ["one"]}))
    with pytest.raises(Invalid) as refused:
        publish_blueprint(actor=ENGINE, source=body)
    assert f"stages[0].gate.rules[0].{where}" in refused.value.fields


def test_versions_without_percentages_keep_their_digest() -> None:
    body = f.plan(f.stage("one", "DE", gate=f.gate("DS")))
    plain = parse(body)
    rules = dump(plain)["stages"][0]["gate"]["rules"]  # type: ignore[index, call-overload]
    assert rules == [{"persona": "DS", "min": 1}]
    share = {"rules": [{"persona": "DS", "percent": 50}], "send_back_to": ["one"]}
    other = parse({**body, "stages": [f.stage("one", "DE", gate=share)]})
    assert digest_of(other) != digest_of(plain)
    assert parse(dump(other)) == other
