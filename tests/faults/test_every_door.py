"""Who may not decide is refused at every door: REST, pages, console, in the same words. F17."""

import uuid
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from personas.models import User
from pipelines.runs.actions import stages
from pipelines.runs.models import Decision, Gate, Run
from tests import factories
from tests.api import world
from tests.cast import Cast, acting
from tests.contracts.test_looks import pages, tables
from tests.domain import engine as f

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
VERDICTS = ("approve", "reject", "request_changes")


@pytest.fixture
def gate(cast: Cast) -> Gate:
    """A gate of Dmitri's work: the initiator is excluded, too, and a reviewer has left."""
    run = f.run(
        cast,
        f.stage("one", "DE", gate=f.gate("DS", "BA", "DE", exclude=["run_initiator"])),
    )
    stages.take(actor=acting(cast.dmitri), stage=f.stage_of(run, "one"))
    f.perform()
    run.use_case.seats.filter(user=cast.sofia).update(until="2020-01-01T00:00Z")
    return f.gate_of(run)


def excluded(cast: Cast, run: Run) -> dict[str, User]:
    """Everybody who may not decide, by why."""
    robot = User.objects.create(username="robot", name="Robot", is_service=True)
    robot.personas.add("DS")
    run.use_case.seats.create(user=robot, persona_id="DS")
    for user in (cast.priya, cast.iris):
        user.is_staff = user.is_superuser = True
        user.capabilities = ["run.manage", "gate.waive", "operations.manage", "read_all"]
        user.save()
    return {
        "author": cast.dmitri,
        "initiator": cast.amara,
        "former member": cast.sofia,
        "administrator": cast.priya,
        "administrator without a seat": cast.iris,
        "other persona": cast.lena,
        "service account": robot,
    }


def decision(gate: Gate, verdict: str) -> dict[str, Any]:
    """What the address of decisions takes."""
    return {
        "verdict": verdict, "seen": gate.subject_digest, "reason": "because", "target": "one",
        "reason_code": "quality",
    }  # fmt: skip


def anything(gate: Gate) -> dict[str, Any]:
    """One body for every other address: each takes from it what it knows."""
    return {
        **decision(gate, "approve"), "idempotency_key": str(uuid.uuid4()), "version": 1, "days": 1,
        "data": {}, "answers": {}, "action": "approve", "_selected_action": [str(gate.pk)],
    }  # fmt: skip


def test_f17_nobody_excluded_decides_through_any_door(cast: Cast, gate: Gate) -> None:
    things = world.make(cast) | {"gates": {"pk": gate.pk}}
    rest = [
        address
        for route in world.routes()
        if (address := world.address(route, things)) and "POST" in world.methods(route)
    ]
    assert f"/api/v1/gates/{gate.pk}/decisions" in rest
    # What ends the whole run is a manager's right, and closes the gate without a verdict.
    doors = [*rest, *pages(things), *tables()]
    doors = [door for door in doors if "sign-out" not in door]
    before = set(Decision.objects.values_list("pk", flat=True))
    for why, user in excluded(cast, gate.run).items():
        # The one who knows best how and the one who may most try all of them.
        most = why in ("author", "administrator")
        for door in [door for door in doors if most or "gate" in door or "check" in door]:
            client: Any = APIClient() if door.startswith("/api/") else Client()
            client.force_login(user)
            deciding = door.endswith(f"/gates/{gate.pk}/decisions")
            sent = decision(gate, "approve") if deciding else anything(gate)
            kind = {"format": "json"} if door.startswith("/api/") else {}
            answer = client.post(door, sent, headers={"Idempotency-Key": uuid.uuid4().hex}, **kind)
            assert answer.status_code != 500, (why, door)
            assert not deciding or answer.status_code in (403, 404), why
            now = Gate.objects.get(pk=gate.pk)
            assert now.state == "OPEN", (why, door, answer.status_code)
        made = Decision.objects.exclude(pk__in=before).filter(user=user)
        assert not made.filter(gate=gate).exists(), why


@pytest.mark.parametrize(
    ("why", "rule"),
    [
        ("author", "sod.subject_author"),
        ("initiator", "sod.run_initiator"),
        ("former member", None),
        ("administrator", "gate.persona"),
        ("service account", "sod.service_account"),
    ],
)
def test_f17_rest_and_pages_name_the_same_rule(
    cast: Cast, gate: Gate, why: str, rule: str | None
) -> None:
    user = excluded(cast, gate.run)[why]
    for verdict in VERDICTS:
        api = APIClient()
        api.force_login(user)
        sent = decision(gate, verdict)
        said = api.post(f"/api/v1/gates/{gate.pk}/decisions", sent, format="json")
        page = Client()
        page.force_login(user)
        shown = page.post(f"/gates/{gate.pk}/", sent | {"idempotency_key": str(uuid.uuid4())})
        # Who lost the last seat does not even learn that there is such a gate.
        assert said.status_code == shown.status_code == (403 if rule else 404), verdict
        assert rule is None or said.json()["code"] == rule
    assert not Decision.objects.filter(gate=gate).exists()


def test_a_person_with_the_seat_and_no_part_in_it_does_decide(cast: Cast) -> None:
    """The other tests would pass with every door nailed up."""
    gate = factories.to_gate(cast, factories.hello_run(cast))
    api = APIClient()
    api.force_login(cast.sofia)
    sent = {"verdict": "approve", "seen": gate.subject_digest}
    answer = api.post(f"/api/v1/gates/{gate.pk}/decisions", sent, format="json")
    assert answer.status_code // 100 == 2
    assert Gate.objects.get(pk=gate.pk).state == "APPROVED"
