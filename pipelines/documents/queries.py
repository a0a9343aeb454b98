"""Gathering what the documents of a run are made from: at most 40 queries, whatever its size."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.documents import reviewing
from pipelines.documents.pack import (
    Done,
    Output,
    Pack,
    Part,
    Readiness,
    Release,
    Said,
)
from pipelines.documents.reviewing import at, outputs_of
from pipelines.monitoring.models import Alert
from pipelines.readiness.queries import Readiness as Ready
from pipelines.readiness.queries import evidence_run, readiness, why_not
from pipelines.registry.models import Deployment, ModelVersion
from pipelines.runs.models import (
    Attempt,
    Run,
    Step,
    WorkItem,
)
from pipelines.runs.rows import Rows, load, stage_def
from pipelines.serving.models import Label
from pipelines.usecases.models import UseCase


def run_of(use_case: UseCase) -> Run | None:
    """Return the run whose documents speak for the use case: of what is deployed, else the last."""
    return evidence_run(use_case)


def pack_of(run: Run) -> Pack:
    """Return everything on record that the documents of a run may look at."""
    rows = load(run).with_results()
    ready = readiness(run.use_case)
    stages = {stage.pk: stage.key for stage in rows.stages.values()}
    versions = list(ModelVersion.objects.filter(run=run).select_related("model"))
    model = versions[0].model if versions else None
    watches = run.use_case.runs.filter(kind="watch").order_by("number")
    return Pack(
        run=run.pk,
        label=run.label,
        state=run.state,
        use_case=run.use_case.title,
        use_case_key=run.use_case.key,
        question=run.use_case.question,
        blueprint=f"{run.version.blueprint.title} v{run.version.number}",
        blueprint_digest=run.version.digest,
        as_of=at(run.moved_at),
        seed=run.seed,
        parameters=run.parameters,
        inputs=tuple(_inputs(run)),
        people=tuple(_people(run.use_case)),
        facts=_facts(rows),
        stages=tuple(_parts(rows)),
        steps=tuple(_steps(rows)),
        items=tuple(_items(rows)),
        checks=tuple(reviewing.checks(rows, stages)),
        reviews=tuple(reviewing.reviews(rows, stages)),
        passings=tuple(reviewing.passings(rows)),
        releases=tuple(_releases(versions)),
        alerts=tuple(_alerts(run)),
        watches=tuple(f"{watch.label} ({watch.state.lower()})" for watch in watches),
        labels=Label.objects.filter(model=model).count() if model else 0,
        readiness=_readiness(ready, run),
    )


def _facts(rows: Rows) -> dict[str, Mapping[str, Any]]:
    """The facts of the present rounds; those of contracts first, for the last that says so counts.

    A contract repeats what a stage of its own does later: the stage's word is the one to show.
    """
    contract = {f"{step.stage.key}.{step.key}" for step in rows.contract_steps.values()}
    found = rows.facts()
    return {place: found[place] for place in sorted(found, key=lambda one: one not in contract)}


def _inputs(run: Run) -> Iterator[tuple[str, Output]]:
    for name, parts in run.inputs.items():
        for part in parts:
            yield name, Output(part["name"], part["digest"], part["media"])


def _people(use_case: UseCase) -> Iterator[tuple[str, str]]:
    for seat in use_case.seats.filter(until=None).select_related("user"):
        yield seat.persona_id, str(seat.user)


def _parts(rows: Rows) -> Iterator[Part]:
    owners = {
        stage.pk: str(stage.owner)
        for stage in rows.run.stages.filter(current=True).select_related("owner")
        if stage.owner_id is not None
    }
    for stage in sorted(rows.stages.values(), key=lambda one: one.position):
        known = stage_def(rows.run, stage.key)
        yield Part(
            key=stage.key,
            code=known.code,
            title=known.title,
            summary=known.summary,
            persona=stage.persona_id,
            state=stage.state,
            round=stage.round,
            owner=owners.get(stage.pk, ""),
            pk=stage.pk,
        )


def _steps(rows: Rows) -> Iterator[Done]:
    steps = [*rows.steps.values(), *rows.contract_steps.values()]
    steps.sort(key=lambda step: (step.stage.position, step.hand_off_id is not None, step.position))
    wanted = [step.result_id for step in steps if step.result_id]
    attempts = Attempt.objects.only(
        "operation_version",
        "package",
        "seed",
        "cached_from_id",
        "finished_at",
        "step_id",
        "operation",
    ).in_bulk(wanted)
    for step in steps:
        attempt = attempts.get(step.result_id)
        if attempt is None or step.result is None:
            continue
        yield Done(
            place=f"{step.stage.key}.{step.key}",
            title=_step_title(rows.run, step),
            stage=step.stage.key,
            operation=attempt.operation,
            version=attempt.operation_version,
            package=dict(attempt.package),
            pk=step.pk,
            stage_pk=step.stage_id,
            seed=attempt.seed,
            outputs=tuple(outputs_of(step.result.outputs)),
            cached=attempt.cached_from_id is not None,
            contract=step.hand_off_id is not None,
            finished_at=at(attempt.finished_at),
        )


def _step_title(run: Run, step: Step) -> str:
    known = stage_def(run, step.stage.key).all_steps()
    return next((one.title for one in known if one.key == step.key), step.key)


def _items(rows: Rows) -> Iterator[Said]:
    people = {
        item.pk: item
        for item in WorkItem.objects.filter(run=rows.run, state="COMPLETED").select_related(
            "completed_by", "completed_for"
        )
    }
    for item in rows.items.values():
        done = people.get(item.pk)
        if done is None:
            continue
        known = next(
            (i for i in stage_def(rows.run, item.stage.key).items if i.key == item.key), None
        )
        labels = {field.key: field.label for field in known.fields} if known else {}
        who = str(done.completed_by or "")
        if done.completed_for_id is not None:
            who = f"{who} for {done.completed_for}"
        yield Said(
            place=f"item.{item.stage.key}.{item.key}",
            title=item.title,
            stage=item.stage.key,
            kind=item.kind,
            pk=item.pk,
            persona=item.persona_id,
            who=who,
            at=at(done.closed_at),
            digest=item.data_digest,
            fields=tuple((key, labels.get(key, key), value) for key, value in item.data.items()),
        )


def _releases(versions: Iterable[ModelVersion]) -> Iterator[Release]:
    deployed: dict[int, list[Deployment]] = {}
    versions = list(versions)
    for row in Deployment.objects.filter(version__in=versions).order_by("started_at"):
        deployed.setdefault(row.version_id, []).append(row)
    for version in versions:
        yield Release(
            name=version.model.name,
            number=version.number,
            state=version.state,
            package=version.package_id,
            approval=version.approval_id,
            deployments=tuple(
                (one.mode, at(one.started_at), at(one.ended_at))
                for one in deployed.get(version.pk, ())
            ),
        )


def _alerts(run: Run) -> Iterator[tuple[str, str, str]]:
    rows = Alert.objects.filter(model__use_case=run.use_case_id).order_by("pk")
    return ((one.cause, one.text, one.state) for one in rows)


def _readiness(found: Ready, run: Run) -> Readiness:
    """The score where this run is the one whose evidence counts; else none."""
    if found.run is None or found.run.pk != run.pk:
        return Readiness()
    return Readiness(
        score=found.score,
        band=found.result.band,
        sections=tuple((one.title, one.points, float(one.most)) for one in found.sections),
        worries=tuple(
            (one.worry.id, one.worry.title, one.level, one.text) for one in found.worries
        ),
        tests=tuple(
            (
                one.test.id,
                one.test.title,
                one.finding.points,
                one.finding.basis,
                one.finding.text,
            )
            for one in found.tests
        ),
        signed=tuple(
            (one.test, one.persona_id, str(one.user), one.statement, f"{one.expires_at:%Y-%m-%d}")
            for one in found.standing
            if not why_not(one, found.contents, found.now)
        ),
    )
