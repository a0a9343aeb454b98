"""Queueing a step: resolve its inputs and parameters, look into the cache, or queue an attempt."""

from django.db import connection

from personas import statements
from personas.commands import Command
from pipelines import catalogue
from pipelines.blueprints.refs import Json, Ref, RefKind
from pipelines.blueprints.spec import StepDef
from pipelines.operations.contract import Spec
from pipelines.runs.evidence import digest_of
from pipelines.runs.models import Attempt, HandOff, Run, Stage, Step
from pipelines.runs.moves import born, move
from pipelines.runs.rows import Part, Rows

POKE = "baton_poke"
QUEUE = "cpu"  # of an operation that this process's code does not know

# Asked for each step that is queued, and mostly in vain.
CACHED = """
SELECT id FROM runs_attempt
 WHERE cache_key = %s AND state = 'SUCCEEDED' AND cached_from_id IS NULL ORDER BY id DESC LIMIT 1
"""


def queue_step(
    command: Command,
    rows: Rows,
    *,
    stage: Stage,
    definition: StepDef,
    hand_off: HandOff | None = None,
    fresh: bool = False,
) -> Step:
    """Queue the step's first attempt, or serve its result from the cache unless it is refused."""
    place = rows.steps if hand_off is None else rows.contract_steps
    where = (stage.pk if hand_off is None else hand_off.pk, definition.key)
    known = where in place
    step = place.get(where) or Step(
        run=rows.run,
        stage=stage,
        hand_off=hand_off,
        key=definition.key,
        position=rows.blueprint.stage(stage.key).all_steps().index(definition),
        operation=definition.operation,
        refuse_cache=stage.refuse_cache or _computed_before(hand_off, definition),
    )
    place[where] = step
    step.refuse_cache = step.refuse_cache or fresh
    attempt = _next_attempt(command, rows, step, definition)
    hit = _cached(step, attempt)
    if hit is not None:
        if not known:
            born(command, step, "create", run=rows.run)
        _serve(command, rows.run, step, attempt, hit)
        return step
    if known:
        move(command, step, "queue", run=rows.run, tries=step.tries)
    else:
        born(command, step, "create", run=rows.run, then="queue")
    _wake(command, rows.run, step, attempt)
    return step


def _computed_before(hand_off: HandOff | None, definition: StepDef) -> bool:
    """Whether a contract's step is to be computed again; who asks for that wants no old result."""
    if hand_off is None:
        return False
    return Step.objects.filter(hand_off=hand_off, key=definition.key).exists()


def definition_of(rows: Rows, step: Step) -> StepDef:
    """Return what the blueprint says of a step, be it of a stage or of a hand-off's contract."""
    return rows.blueprint.stage(step.stage.key).step(step.key)


def queue_again(command: Command, rows: Rows, step: Step, event: str) -> Attempt:
    """Make a further attempt with freshly resolved inputs, by an event of the step's life cycle."""
    attempt = _next_attempt(command, rows, step, definition_of(rows, step))
    move(command, step, event, run=rows.run, tries=step.tries, retry_at=None)
    _wake(command, rows.run, step, attempt)
    return attempt


def _wake(command: Command, run: Run, step: Step, attempt: Attempt) -> None:
    attempt.step = step
    born(command, attempt, "queue", run=run, data={"key": step.key, "stage": step.stage_id})
    poke(command, attempt)


def _next_attempt(command: Command, rows: Rows, step: Step, definition: StepDef) -> Attempt:
    run, name = rows.run, definition.operation
    # Code of before an operation came in still moves runs that need it: it queues, and waits.
    spec = catalogue.spec(name) if catalogue.knows(name) else None
    params = {
        name: rows.value(value) if isinstance(value, Ref) else value
        for name, value in definition.params.items()
    } | step.overrides
    inputs = _inputs(rows, definition)
    attempt = Attempt(
        run=run,
        number=step.tries + 1,
        operation=name,
        operation_version=spec.version if spec else 1,
        queue=spec.queue if spec else QUEUE,
        due_at=command.now,
        params={name: value for name, value in params.items() if value is not None},
        inputs=inputs,
        seed=run.seed,
        package=_package(name),
    )
    attempt.cache_key = _cache_key(spec, attempt) if spec else ""
    step.tries = attempt.number
    return attempt


def _package(name: str) -> dict[str, Json]:
    found = catalogue.package(name)
    return found.as_json() if found else {}


def poke(command: Command, attempt: Attempt) -> None:
    """Ask the engine process to wake a worker once this transaction has committed."""
    command.recorder.notify(POKE, f"{attempt.queue}:{attempt.pk}")


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
    # Baton's own code is known by the spec's version alone, a package's by its content as well.
    code = [attempt.package] if attempt.package else []
    return digest_of([spec.name, spec.version, *code, attempt.params, ports, attempt.seed])


def _cached(step: Step, attempt: Attempt) -> Attempt | None:
    if not attempt.cache_key or step.refuse_cache:
        return None
    with connection.cursor() as cursor:
        statements.run(cursor, CACHED, [attempt.cache_key])
        row = cursor.fetchone()
    return None if row is None else Attempt.objects.get(pk=row[0])


def _serve(command: Command, run: Run, step: Step, attempt: Attempt, hit: Attempt) -> None:
    """Close the step with what an earlier attempt computed; the result names that attempt."""
    attempt.step, attempt.cached_from = step, hit
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
