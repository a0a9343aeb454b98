"""A decision over HTTP: how soon it is answered, and how soon the next step's child runs.

    python -m benchmarks.decisions

First alone; then twenty and fifty people who decide once a second each, at moments of their own;
then twenty at the same instant, the worst there is. The child's start is read from its own clock:
the step writes when it began (`started_at` of the attempt is the claim).
"""

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.served import (
    Person,
    median,
    percentile,
    publish,
    report,
    served,
    until,
    use_case,
)
from pipelines.runs.actions import runs
from pipelines.runs.models import Attempt, Gate, Run
from pipelines.usecases.models import BlueprintVersion, UseCase

ALONE = 40
PEOPLE = 20  # at the same instant
CROWDS = (20, 50)  # once a second each
EACH = 5
SECONDS = 10


def plan() -> dict[str, Any]:
    """One step, a gate that a data scientist decides, and a step behind it."""
    key = f"gated-{uuid.uuid4().hex[:8]}"
    step: dict[str, Any] = {"operation": "noop", "params": {"message": {"ref": "run.text"}}}
    rules = [{"persona": "DS", "min": 1}]
    return {
        "key": key, "title": key, "kind": "main",
        "parameters": [{"key": "text", "kind": "str", "title": "Text", "default": ""}],
        "stages": [
            {"key": "one", "title": "One", "persona": "MLE", "steps": [{"key": "a", **step}],
             "gate": {"rules": rules, "send_back_to": ["one"]}},
            {"key": "two", "title": "Two", "persona": "MLE", "needs": ["one"],
             "steps": [{"key": "b", "operation": "noop", "params": {**step["params"], "rows": 1}}]},
        ],
    }  # fmt: skip


def under_review(lena: Person, place: UseCase, version: BlueprintVersion, count: int) -> list[Gate]:
    """So many gates that wait."""
    made = [
        runs.create(
            actor=lena.actor, use_case=place, version=version, parameters={"text": uuid.uuid4().hex}
        ).data["run"]
        for _ in range(count)
    ]
    gates = Gate.objects.filter(run__in=made, state="OPEN")
    until(lambda: gates.count() == count, every=0.05)
    return list(gates.order_by("id"))


def decide(person: Person, gate: Gate) -> tuple[float, float]:
    """Approve; returns when it was sent (host clock) and how many seconds the answer took."""
    sent, began = time.time(), time.perf_counter()
    person.post(f"gates/{gate.pk}/decisions", {"verdict": "approve", "seen": gate.subject_digest})
    return sent, time.perf_counter() - began


def running_after(gate: Gate, sent: float) -> float:
    """Seconds from the decision's sending to the start of the next step's child."""
    rows = Attempt.objects.filter(run=gate.run_id, step__key="b")
    attempt = until(lambda: rows.exclude(usage={}).first(), every=0.01)
    return float(attempt.usage["began_at"] - sent)


def once_a_second(deciders: list[Person], gates: list[Gate]) -> list[tuple[Gate, float, float]]:
    """Each decides once a second; a late answer delays nobody else."""
    began = time.perf_counter() + 0.5
    shift = random.Random(7)
    phases = [shift.random() for _ in deciders]

    def act(number: int) -> list[tuple[Gate, float, float]]:
        done = []
        for second in range(SECONDS):
            time.sleep(max(0.0, began + phases[number] + second - time.perf_counter()))
            gate = gates[number * SECONDS + second]
            done.append((gate, *decide(deciders[number], gate)))
        return done

    with ThreadPoolExecutor(len(deciders)) as pool:
        return [one for some in pool.map(act, range(len(deciders))) for one in some]


def settled(place: UseCase) -> None:
    """Wait until no run is under way."""
    left = Run.objects.filter(use_case=place, state="RUNNING")
    until(lambda: not left.exists(), every=0.05)


def alone(lena: Person, decider: Person, place: UseCase, version: BlueprintVersion) -> None:
    """One decision at a time, nothing else under way."""
    gates = under_review(lena, place, version, ALONE + 5)
    answered, running = [], []
    for gate in gates:
        sent, took = decide(decider, gate)
        answered.append(took)
        running.append(running_after(gate, sent))
        time.sleep(0.05)
    answered, running = answered[5:], running[5:]
    report(
        "decisions", "POST answered, idle", p50_ms=median(answered),
        p95_ms=percentile(answered, 0.95),
    )  # fmt: skip
    report(
        "decisions", "decision to next step's child running, idle", p50_ms=median(running),
        p95_ms=percentile(running, 0.95), p99_ms=percentile(running, 0.99), bar_p50_ms=20,
        bar_p95_ms=40, bar_p99_ms=100,
    )  # fmt: skip


def crowd(lena: Person, deciders: list[Person], place: UseCase, version: BlueprintVersion) -> None:
    """So many people, each once a second."""
    settled(place)
    people = len(deciders)
    gates = under_review(lena, place, version, people * SECONDS)
    done = once_a_second(deciders, gates)
    answered = [took for _, _, took in done]
    running = [running_after(gate, sent) for gate, sent, _ in done]
    report(
        "decisions", f"POST answered, {people} people once a second each",
        p50_ms=median(answered), p95_ms=percentile(answered, 0.95), bar_p95_ms=100,
    )  # fmt: skip
    report(
        "decisions", f"decision to next child running, {people} people once a second each",
        p50_ms=median(running), p95_ms=percentile(running, 0.95), bar_p95_ms=250,
    )  # fmt: skip


def together(
    lena: Person, deciders: list[Person], place: UseCase, version: BlueprintVersion
) -> None:
    """All of them at the same instant, a few times."""
    answered, running = [], []
    people = len(deciders)
    settled(place)
    for _ in range(EACH):
        gates = under_review(lena, place, version, people)
        barrier = threading.Barrier(people)

        def act(pair: tuple[Person, Gate], barrier: threading.Barrier = barrier) -> Any:
            barrier.wait()
            return pair[1], *decide(*pair)

        with ThreadPoolExecutor(people) as pool:
            done = list(pool.map(act, zip(deciders, gates, strict=True)))
        answered += [took for _, _, took in done]
        running += [running_after(gate, sent) for gate, sent, _ in done]
        settled(place)
    report(
        "decisions", f"POST answered, {people} people at the same instant",
        p50_ms=median(answered), p95_ms=percentile(answered, 0.95),
    )  # fmt: skip
    report(
        "decisions", f"decision to next child running, {people} people at the same instant",
        p50_ms=median(running), p95_ms=percentile(running, 0.95),
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    with served():
        lena = Person("lena", "MLE")
        deciders = [Person(f"decider-{n}", "DS") for n in range(max(CROWDS))]
        place = use_case(lena, deciders)
        version = publish(plan())
        alone(lena, deciders[0], place, version)
        for people in CROWDS:
            crowd(lena, deciders[:people], place, version)
        together(lena, deciders[:PEOPLE], place, version)


if __name__ == "__main__":
    main()
