"""Reading the lineage of a run: at most eleven queries, whatever its size."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Min
from django.db.models.functions import Coalesce

from pipelines.artefacts.models import Artefact
from pipelines.lineage.graph import Graph, Part, Performed, Record, Served, Version, build
from pipelines.registry.models import Deployment, ModelVersion
from pipelines.runs.models import Attempt, Run, Step
from pipelines.runs.rows import Rows, load, stage_def
from pipelines.serving.models import Prediction


def lineage_of(run: Run) -> Graph:
    """Return the lineage graph of a run's present rounds."""
    return build(record_of(run))


def record_of(run: Run) -> Record:
    """Return everything on record that the lineage of a run is made from."""
    rows = load(run)
    sizes = _sizes(run)
    return Record(
        run=run.pk,
        label=run.label,
        use_case=run.use_case.key,
        blueprint=f"{run.version.blueprint.key} v{run.version.number}",
        blueprint_digest=run.version.digest,
        inputs=tuple(
            (name, Part(one["name"], one["digest"], one["media"], sizes.get(one["digest"])))
            for name, parts in run.inputs.items()
            for one in parts
        ),
        steps=tuple(_steps(rows)),
        versions=tuple(_versions(run)),
    )


def _sizes(run: Run) -> dict[str, int]:
    digests = [one["digest"] for parts in run.inputs.values() for one in parts]
    return dict(Artefact.objects.filter(pk__in=digests).values_list("digest", "size"))


def _steps(rows: Rows) -> Iterator[Performed]:
    steps = [*rows.steps.values(), *rows.contract_steps.values()]
    # A contract's steps come before the next stage, which reads what the contract may have made.
    steps.sort(key=lambda step: (step.stage.position, step.hand_off_id is not None, step.position))
    wanted = [step.result_id for step in steps if step.result_id]
    found = Attempt.objects.defer("log", "error", "usage").in_bulk(wanted)
    for step in steps:
        attempt = found.get(step.result_id) if step.result_id else None
        if attempt is not None:
            yield _performed(rows.run, step, attempt)


def _performed(run: Run, step: Step, attempt: Attempt) -> Performed:
    known = stage_def(run, step.stage.key).all_steps()
    inputs = attempt.inputs.get("ports") or {}
    return Performed(
        attempt=attempt.pk,
        step=step.pk,
        place=f"{step.stage.key}.{step.key}",
        title=next((one.title for one in known if one.key == step.key), step.key),
        operation=attempt.operation,
        version=attempt.operation_version,
        seed=attempt.seed,
        inputs=tuple((port, _part(one)) for port, parts in inputs.items() for one in parts),
        feeds=tuple(_feeds(attempt)),
        outputs=tuple(_part({"name": name, **one}) for name, one in attempt.outputs.items()),
        facts=attempt.facts,
        params=attempt.params,
        started_at=_at(attempt.started_at),
        finished_at=_at(attempt.finished_at),
        cached_from=attempt.cached_from_id,
        package=attempt.package,
    )


def _feeds(attempt: Attempt) -> Iterator[tuple[str, str, Part | None]]:
    made = attempt.inputs.get("made") or {}
    for port, feed in (attempt.inputs.get("feeds") or {}).items():
        one = made.get(feed)
        yield port, feed, _part({"name": feed, "media": "parquet", **one}) if one else None


def _part(one: dict[str, Any]) -> Part:
    return Part(str(one["name"]), one["digest"], str(one.get("media", "")), one.get("size"))


def _at(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _versions(run: Run) -> Iterator[Version]:
    versions = list(ModelVersion.objects.filter(run=run).select_related("model").order_by("number"))
    served = _served(versions)
    for one in versions:
        yield Version(
            pk=one.pk,
            name=one.model.name,
            number=one.number,
            state=one.state,
            package=one.package_id,
            approval=one.approval_id,
            deployments=tuple(served.get(one.pk, ())),
        )


def _served(versions: list[ModelVersion]) -> dict[int, list[Served]]:
    deployments = list(Deployment.objects.filter(version__in=versions).order_by("started_at", "id"))
    when = Coalesce(F("event_time"), F("at"))
    counted = (
        Prediction.objects.filter(deployment__in=deployments)
        .order_by()
        .values("deployment")
        .annotate(count=Count("id"), first=Min(when), last=Max(when))
        .values_list("deployment", "count", "first", "last")
    )
    answers = {pk: (count, _at(first), _at(last)) for pk, count, first, last in counted}
    found: dict[int, list[Served]] = {}
    for one in deployments:
        count, first, last = answers.get(one.pk, (0, "", ""))
        found.setdefault(one.version_id, []).append(
            Served(
                pk=one.pk,
                mode=one.mode,
                share=one.share,
                started_at=_at(one.started_at),
                ended_at=_at(one.ended_at),
                answers=count,
                first=first,
                last=last,
            )
        )
    return found
