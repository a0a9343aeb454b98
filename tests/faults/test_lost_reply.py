"""A reply that never arrives: the client asks again with the same key. F8."""

import http.client
import json
import socket
import time
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django.live_server_helper import LiveServer

from personas.actions import issue_token
from personas.models import Event
from pipelines.runs.actions.settling import Fenced
from pipelines.runs.models import Decision, Gate, Run
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.faults.processes import until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
SCOPES = ["read", "write", "decide"]


def secret_of(cast: Cast, login: str) -> str:
    user = getattr(cast, login)
    _, secret = issue_token(
        actor=acting(user), user=user, name="test", scopes=SCOPES, lifetime=timedelta(days=1)
    )
    return secret


def head(secret: str, key: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }


def send_and_hang_up(server: LiveServer, path: str, body: bytes, headers: dict[str, str]) -> None:
    """Send a whole request, and cut the line before anything is answered."""
    place = urlsplit(server.url)
    lines = [f"POST {path} HTTP/1.1", f"Host: {place.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection((place.hostname, place.port), timeout=10) as line:
        line.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def post(
    server: LiveServer, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, Any, Any]:
    """POST and wait for the answer: status, body, whether it is a replay."""
    asked = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        asked.request("POST", path, body, headers)
        answer = asked.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers["Idempotent-Replay"]
    finally:
        asked.close()


def test_f8_a_decision_whose_reply_was_lost_is_asked_for_again(live_server: LiveServer) -> None:
    cast = Cast.make()
    run = f.run(cast, f.stage("one", "DE", gate=f.gate("DS")))
    f.perform()
    gate, secret = f.gate_of(run), secret_of(cast, "sofia")
    path, headers = f"/api/v1/gates/{gate.pk}/decisions", head(secret, uuid.uuid4().hex)
    body = json.dumps({"verdict": "approve", "seen": gate.subject_digest}).encode()
    send_and_hang_up(live_server, path, body, headers)
    until(lambda: Decision.objects.filter(gate=gate).exists(), what="it was taken")
    answers = [post(live_server, path, body, headers) for _ in range(2)]
    assert answers[0] == answers[1]
    status, said, replay = answers[0]
    assert (status // 100, said["state"], replay) == (2, "APPROVED", "true")
    assert Gate.objects.get(pk=gate.pk).decisions.count() == 1
    decided = Event.objects.filter(type="decision.decide", stream__key=str(run.pk))
    assert decided.count() == 1


def test_f8_a_run_whose_reply_was_lost_is_created_once(live_server: LiveServer) -> None:
    cast = Cast.make()
    use_case, version = f.use_case(cast), f.publish(f.plan(f.stage("one", "BA")))
    path = f"/api/v1/use-cases/{use_case.key}/runs"
    headers = head(secret_of(cast, "amara"), uuid.uuid4().hex)
    body = json.dumps({"blueprint": version.blueprint.key, "start": True}).encode()
    for _ in range(3):
        send_and_hang_up(live_server, path, body, headers)
    until(lambda: Run.objects.filter(use_case=use_case).exists(), what="it was made")
    time.sleep(0.3)
    status, said, replay = post(live_server, path, body, headers)
    assert (status // 100, replay) == (2, "true")
    assert Run.objects.filter(use_case=use_case).count() == 1
    assert str(said["state"]) == "RUNNING"


def test_a_workers_own_commit_whose_reply_was_lost_is_no_late_result(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA"))
    held = f.claim()
    f.settle(held)
    with pytest.raises(Fenced) as error:
        f.settle(held)
    assert error.value.code == "settled"
    assert "attempt.late_result_discarded" not in f.events(run)
    assert run.attempts.get().state == "SUCCEEDED"
