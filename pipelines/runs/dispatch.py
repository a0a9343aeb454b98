"""Queueing a step: resolve its inputs and parameters, look into the cache, or queue an attempt."""

from django.db import connection

from personas.commands import Command
from pipelines import catalogue
from pipelines.blueprints.refs import Json, Ref, RefKind
from pipelines.blueprints.spec import StepDef
from pipelines.lifecycles import AttemptState
from pipelines.operations.contract import Spec
from pipelines.runs.evidence import digest_of
from pipelines.runs.models import Attempt, HandOff, Run, Stage, Step
from pipelines.runs.moves import born, move
from pipelines.runs.rows import Part, Rows

CACHED_FOR_GOOD = ("feeds",)


def queue_step(
    command: Command,
    rows: Rows,
    *,
    stage: Stage,
    definition: StepDef,
    hand_off: HandOff | None = None,
) -> Step:
    """Queue the step's first attempt, or serve its result from the cache."""
    position = list(rows.blueprint.stage(stage.key).all_steps()).index(definition)
    step = _existing(rows, stage, definition, hand_off)
    if step is None:
        step = Step(
            run=rows.run,
            stage=stage,
            hand_off=hand_off,
            key=definition.key,
            position=position,
            operation=definition.operation,
        )
        born(command, step, "create", run=rows.run)
        if hand_off is None:
            rows.steps[stage.pk, step.key] = step
        else:
            rows.contract_steps[hand_off.pk, step.key] = step
    queue_attempt(command, rows, step=step, definition=definition)
    return step


def _existing(
    rows: Rows, stage: Stage, definition: StepDef, hand_off: HandOff | None
) -> Step | None:
    if hand_off is None:
        return rows.steps.get((stage.pk, definition.key))
    return rows.contract_steps.get((hand_off.pk, definition.key))


def queue_attempt(
    command: Command, rows: Rows, *, step: Step, definition: StepDef, event: str = "queue"
) -> Attempt:
    """Make the step's next attempt with freshly resolved inputs; a cache hit ends it at once."""
    run, spec = rows.run, catalogue.spec(definition.operation)
    params = {
        name: rows.value(value) if isinstance(value, Ref) else value
        for name, value in definition.params.items()
    } | step.overrides
    inputs = _inputs(rows, definition)
    attempt = Attempt(
        step=step,
        run=run,
        number=step.tries + 1,
        operation=spec.name,
        operation_version=spec.version,
        queue=spec.queue,
        due_at=command.now,
        params={name: value for name, value in params.items() if value is not None},
        inputs=inputs,
        seed=run.seed,
    )
    attempt.cache_key = _cache_key(spec, attempt)
    step.tries = attempt.number
    hit = _cached(step, attempt)
    if hit is not None and event == "queue" and step.state == "PENDING":
        _serve(command, run, step, attempt, hit)
        return attempt
    born(command, attempt, "queue", run=run, data={"key": step.key, "stage": step.stage_id})
    move(command, step, event, run=run, tries=step.tries, retry_at=None)
    poke(attempt)
    return attempt


def poke(attempt: Attempt) -> None:
    """Ask the engine process to wake a worker; PostgreSQL delivers it only at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('baton_poke', %s)", [f"{attempt.queue}:{attempt.pk}"])


def _inputs(rows: Rows, definition: StepDef) -> dict[str, Json]:
    """Return artefacts by port, and the names of feeds that are made just before the attempt."""
    ports: dict[str, list[Part]] = {}
    feeds: dict[str, str] = {}
    for port, refs in definition.inputs.items():
        for ref in refs:
            if ref.kind is RefKind.FEED:
                feeds[port] = ref.name
            elif ref.kind is RefKind.INPUT:
                ports.setdefault(port, []).extend(rows.run.inputs.get(ref.name, []))
            else:
                part = rows.part(ref)
                if part is not None:
                    name = ref.name if len(refs) > 1 else part["name"]
                    ports.setdefault(port, []).append({**part, "name": name})
    return {"ports": ports, "feeds": feeds}  # type: ignore[dict-item]


def _cache_key(spec: Spec, attempt: Attempt) -> str:
    """Return what identifies a computation; empty where its result must not be reused."""
    if not spec.cacheable or spec.waits or attempt.inputs["feeds"]:
        return ""
    ports = {
        port: [[part["name"] if len(parts) > 1 else "", part["digest"]] for part in parts]
        for port, parts in attempt.inputs["ports"].items()
    }
    return digest_of([spec.name, spec.version, attempt.params, ports, attempt.seed])


def _cached(step: Step, attempt: Attempt) -> Attempt | None:
    if not attempt.cache_key or step.refuse_cache:
        return None
    return (
        Attempt.objects.filter(
            cache_key=attempt.cache_key, state=AttemptState.SUCCEEDED, cached_from=None
        )
        .order_by("-id")
        .first()
    )


def _serve(command: Command, run: Run, step: Step, attempt: Attempt, hit: Attempt) -> None:
    """Close the step with what an earlier attempt computed; the result names that attempt."""
    attempt.cached_from = hit
    attempt.outputs, attempt.facts = hit.outputs, hit.facts
    attempt.started_at = attempt.finished_at = command.now
    born(
        command,
        attempt,
        "cache_hit",
        run=run,
        data={"key": step.key, "computed_by": hit.pk, "computed_in_run": hit.run_id},
    )
    move(command, step, "cache_hit", run=run, result=attempt, tries=step.tries)
