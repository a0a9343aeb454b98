"""What is to be computed again: the attempts whose results count, as they were recorded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines import catalogue
from pipelines.lifecycles import GateState, RunState
from pipelines.runs.models import Attempt, Run
from pipelines.runs.rows import load

Parts = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Recorded:
    """One attempt: what it read, with which parameters and seed, and what it made."""

    place: str
    operation: str
    version: int
    seed: int
    params: dict[str, Any]
    ports: Parts
    outputs: dict[str, dict[str, Any]]
    facts: dict[str, Any]
    not_repeatable: str = ""


def approved(run: Run) -> bool:
    """Whether the run ended well or a gate of its present rounds approved what it made."""
    if run.state == RunState.SUCCEEDED:
        return True
    return run.gates.filter(state=GateState.APPROVED, stage__current=True).exists()


def recorded(run: Run) -> Iterator[Recorded]:
    """Yield the steps of the present rounds in the order they build on each other."""
    rows = load(run)
    steps = [*rows.steps.values(), *rows.contract_steps.values()]
    steps.sort(key=lambda step: (step.stage.position, step.hand_off_id is not None, step.position))
    wanted = [step.result_id for step in steps if step.result_id]
    attempts = Attempt.objects.defer("log", "error").in_bulk(wanted)
    for step in steps:
        attempt = attempts.get(step.result_id) if step.result_id else None
        if attempt is not None:
            yield _of(f"{step.stage.key}.{step.key}", attempt)


def _of(place: str, attempt: Attempt) -> Recorded:
    return Recorded(
        place=place,
        operation=attempt.operation,
        version=attempt.operation_version,
        seed=attempt.seed,
        params=attempt.params,
        ports=_ports(attempt),
        outputs=attempt.outputs,
        facts=attempt.facts,
        not_repeatable=_reason(attempt),
    )


def _ports(attempt: Attempt) -> Parts:
    """What it read: the named artefacts, and what a feed had gathered for it just before.

    A feed that gave nothing has left nothing, and is left out again.
    """
    ports: Parts = dict(attempt.inputs.get("ports") or {})
    made = attempt.inputs.get("made") or {}
    for port, feed in (attempt.inputs.get("feeds") or {}).items():
        if feed in made and catalogue.knows(attempt.operation):
            media = catalogue.spec(attempt.operation).input(port).media
            ports[port] = [{"name": feed, "digest": made[feed]["digest"], "media": media}]
    return ports


def _reason(attempt: Attempt) -> str:
    """Why it cannot be computed again here; "" where it can."""
    if not catalogue.knows(attempt.operation):
        return f"this code has no operation {attempt.operation!r}"
    spec = catalogue.spec(attempt.operation)
    if spec.version != attempt.operation_version:
        return (
            f"it was computed by version {attempt.operation_version}; this code has {spec.version}"
        )
    if not catalogue.same_code(attempt.operation, spec.version, attempt.package):
        was, now = attempt.package, catalogue.package(attempt.operation)
        then = f"{was['distribution']} {was['version']}" if was else "Baton itself"
        return f"it was computed by {then}, of other content than {now or 'Baton itself'} here"
    if spec.connects:
        return "what its connection led to then, it may not lead to now"
    return "" if spec.repeatable else "it measures the machine and is never twice the same"
