"""The people: each a thread that looks what waits for them, and acts over HTTP like a client.

A client sends its key again when the line breaks or the server is away: whatever a kill did, each
wish is fulfilled once. What was refused (409, 410, 403, 404, 422) is not wished again.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from django.db import DatabaseError, InterfaceError, close_old_connections

from benchmarks.chaos.plans import dice
from benchmarks.served import Person
from pipelines.runs.models import Gate, HandOff, Run, Step, WorkItem

PATIENCE = 180.0  # seconds a client asks again before it calls the server lost
REASON = {"reason": "look at this again", "reason_code": "quality"}


@dataclass
class Tally:
    """What the people saw; shared by all threads."""

    began: float = field(default_factory=time.time)
    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: list[tuple[float, str, float]] = field(default_factory=list)  # at, kind, seconds
    created: list[int] = field(default_factory=list)
    decided: int = 0
    repeated: int = 0
    replayed: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # what a client may never see

    def note(self, **more: Any) -> None:
        """Add figures under the lock."""
        with self.lock:
            for name, value in more.items():
                setattr(self, name, getattr(self, name) + value)


class Client:
    """One person's way in."""

    def __init__(self, person: Person, tally: Tally) -> None:
        self.person, self.tally = person, tally
        self.dice = random.Random(person.user.pk)

    def act(self, kind: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """POST until there is an answer; None where it was refused."""
        key, until = uuid.uuid4().hex, time.monotonic() + PATIENCE
        while time.monotonic() < until:
            began = time.perf_counter()
            try:
                answer = self.person.http.post(path, json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                self.tally.note(repeated=1)
                time.sleep(0.3)
                continue
            if answer.status_code >= 500:
                self._note(str(answer.status_code))
                self.tally.note(repeated=1)
                time.sleep(0.3)
                continue
            return self._answered(kind, path, answer, time.perf_counter() - began)
        self.tally.note(broken=[f"{path}: no answer within {PATIENCE:.0f} s"])
        return None

    def _note(self, code: str) -> None:
        with self.tally.lock:
            self.tally.refused[code] = self.tally.refused.get(code, 0) + 1

    def _answered(
        self, kind: str, path: str, answer: httpx.Response, seconds: float
    ) -> dict[str, Any] | None:
        self.tally.note(answers=[(time.time(), kind, seconds)])
        said: dict[str, Any] = answer.json()
        if answer.status_code < 300:
            self.tally.note(replayed=int("Idempotent-Replay" in answer.headers))
            return said
        self._note(str(said.get("code")))
        if answer.status_code not in (403, 404, 409, 410, 422):
            self.tally.note(broken=[f"{path}: {answer.status_code} {answer.text[:200]}"])
        return None

    # --- what they do ----------------------------------------------------------------------

    def decide(self, gate: Gate) -> None:
        """Approve mostly; now and then ask for changes, reject, or look away."""
        verdict = self.dice.choices(
            ("approve", "request_changes", "reject", "abstain"), (16, 3, 1, 1)
        )[0]
        body = {"verdict": verdict, "seen": gate.subject_digest}
        if verdict in ("request_changes", "reject"):
            body |= REASON
        if verdict == "abstain" and self.dice.random() < 0.5:
            return
        if self.act("decide", f"gates/{gate.pk}/decisions", body):
            self.tally.note(decided=1)

    def fill(self, item: WorkItem) -> None:
        """Complete the form."""
        body = {"data": {"text": f"note {self.dice.random()}"}, "version": item.version}
        self.act("fill", f"items/{item.pk}/complete", body)

    def take(self, hand_off: HandOff) -> None:
        """Accept, or return."""
        if self.dice.random() < 0.08:
            self.act("return", f"hand-offs/{hand_off.pk}/return", dict(REASON))
        else:
            self.act("accept", f"hand-offs/{hand_off.pk}/accept", {})

    def help(self, step: Step) -> None:
        """A step failed for good: let it be tried without what made it fail."""
        self.act("retry", f"steps/{step.pk}/retry", {"overrides": {"fail": ""}})

    def manage(self, run: Run) -> None:
        """Cancel, pause or resume."""
        if run.state == "PAUSED":
            self.act("resume", f"runs/{run.pk}/resume", {})
        elif self.dice.random() < 0.3:
            self.act("cancel", f"runs/{run.pk}/cancel", {"reason": "no longer wanted"})
        else:
            self.act("pause", f"runs/{run.pk}/pause", {"reason": "wait a moment"})


def look(question: Callable[[], list[Any]]) -> list[Any]:
    """Ask the database; nothing where it is away just now."""
    try:
        return question()
    except (DatabaseError, InterfaceError):
        close_old_connections()
        return []


def _some(rows: Any) -> list[Any]:
    return list(rows.order_by("?")[:4])


def desk(client: Client, code: str, *, stopping: threading.Event, calm: threading.Event) -> None:
    """Sit at one persona's desk until told to stop; when `calm`, only help runs to their end."""
    while not stopping.is_set():
        acted = 0
        for gate in look(lambda: _some(_gates(code))):
            client.decide(gate)
            acted += 1
        forms = WorkItem.objects.filter(
            persona_id=code, state__in=("OPEN", "ASSIGNED"), run__state="RUNNING"
        )
        for item in look(lambda forms=forms: _some(forms.exclude(kind="attention"))):  # type: ignore[misc]
            client.fill(item)
            acted += 1
        offered = HandOff.objects.filter(
            target__persona_id=code, state="OFFERED", run__state="RUNNING"
        )
        for hand_off in look(lambda offered=offered: _some(offered)):  # type: ignore[misc]
            client.take(hand_off)
            acted += 1
        failed = Step.objects.filter(
            stage__persona_id=code, state="FAILED", stage__current=True, run__state="RUNNING"
        )
        for step in look(lambda failed=failed: _some(failed)):  # type: ignore[misc]
            client.help(step)
            acted += 1
        if code == "OPS":
            acted += _manage(client, calm=calm.is_set())
        time.sleep(client.dice.uniform(0.02, 0.1) if acted else 0.25)


def _gates(code: str) -> Any:
    asked = [{"persona": code}]
    return Gate.objects.filter(state="OPEN", run__state="RUNNING", policy__rules__contains=asked)


def _manage(client: Client, *, calm: bool) -> int:
    paused = look(lambda: _some(Run.objects.filter(state="PAUSED")))
    for run in paused:
        client.manage(run)
    if not calm and client.dice.random() < 0.02:
        for run in look(lambda: _some(Run.objects.filter(state="RUNNING"))[:1]):
            client.manage(run)
    return len(paused)


def starter(
    client: Client, places: list[str], *, most_open: int, stopping: threading.Event
) -> None:
    """Start one run after the other, as long as not too many are under way."""
    number = 0
    while not stopping.is_set():
        under_way = Run.objects.filter(state__in=("PENDING", "RUNNING", "PAUSED", "CANCELLING"))
        count = look(lambda under_way=under_way: [under_way.count()])  # type: ignore[misc]
        if not count or count[0] >= most_open:
            time.sleep(0.2)
            continue
        number += 1
        place = client.dice.choice(places)
        made = client.act("start", f"use-cases/{place}/runs", dice(client.dice, number))
        if made is not None:
            client.tally.note(created=[made["run"]])
