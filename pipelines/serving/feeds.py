"""Feeds: what the system itself gives to a step, made by the worker just before the attempt."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from pipelines.artefacts.actions import storage
from pipelines.registry.models import CANARY, LIVE, SHADOW, Deployment, ModelVersion
from pipelines.runs.models import Run, Stage
from pipelines.serving.windows import fetch, write_window

Params = Mapping[str, Any]


def now(*, run: Run, stage: Stage, folder: Path, params: Params) -> Path:
    """The moment, by the database's clock: operations read none, what they measure is on record."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT baton_now()")
        moment: datetime = cursor.fetchone()[0]
    path = folder / "now.json"
    path.write_text(json.dumps({"now": moment.isoformat()}), encoding="utf-8")
    return path


def champion(*, run: Run, stage: Stage, folder: Path, params: Params) -> Path | None:
    """The package that answers all callers now; None for a first release."""
    live = _open_live(run)
    if live is None or live.version.run_id == run.pk:
        return None
    return storage().local(live.version.package_id, folder)


def shadow_window(*, run: Run, stage: Stage, folder: Path, params: Params) -> Path:
    """What the run's version scored in shadow, unseen by callers."""
    return _own(folder, _of_run(run, SHADOW))


def canary_window(*, run: Run, stage: Stage, folder: Path, params: Params) -> Path:
    """What the run's canary answered, and what others answered beside it meanwhile."""
    deployment = _of_run(run, CANARY)
    if deployment is None:
        return write_window(folder / "window.parquet", [], None)
    rows = fetch(
        "p.model_id = %(model)s AND p.at >= %(since)s AND p.mode <> 'shadow'"
        " AND (%(until)s::timestamptz IS NULL OR p.at <= %(until)s)",
        {
            "model": deployment.model_id,
            "since": deployment.started_at,
            "until": deployment.ended_at,
        },
    )
    # The live version's answers are not the canary's: for its window they are the others'.
    own = (None, deployment.version.number)
    rows = [row if row[5] in own else _other(row) for row in rows]
    return write_window(folder / "window.parquet", rows, deployment)


def _other(row: Any) -> Any:
    return (*row[:4], "other", *row[5:])


def live_window(*, run: Run, stage: Stage, folder: Path, params: Params) -> Path:
    """What the live version answered; for a watch, since the watch before it."""
    deployment = _of_run(run, LIVE) if run.kind == "main" else _open_live(run)
    return _own(folder, deployment, since=_watched(run))


def labelled_window(*, run: Run, stage: Stage, folder: Path, params: Params) -> Path:
    """What the live version answered, with the outcomes that came in; for a watch, the new ones."""
    deployment = _of_run(run, LIVE) if run.kind == "main" else _open_live(run)
    since = _watched(run)
    if deployment is None or since is None:
        return _own(folder, deployment)
    rows = fetch(
        "p.deployment_id = %(deployment)s AND (l.received_at > %(since)s"
        " OR (l.received_at IS NULL AND p.at > %(since)s))",
        {"deployment": deployment.pk, "since": since},
    )
    return write_window(folder / "window.parquet", rows, deployment)


def reference(*, run: Run, stage: Stage, folder: Path, params: Params) -> Path | None:
    """The rows that the live version was judged on."""
    return _source(run, folder, "holdout")


def reference_predictions(*, run: Run, stage: Stage, folder: Path, params: Params) -> Path | None:
    """The live version's scores and labels on those rows."""
    return _source(run, folder, "predictions")


def _own(folder: Path, deployment: Deployment | None, *, since: datetime | None = None) -> Path:
    rows: list[Any] = []
    if deployment is not None:
        where = "p.deployment_id = %(deployment)s"
        where += "" if since is None else " AND p.at > %(since)s"
        rows = fetch(where, {"deployment": deployment.pk, "since": since})
    return write_window(folder / "window.parquet", rows, deployment)


def _source(run: Run, folder: Path, name: str) -> Path | None:
    live = _open_live(run)
    digest = live.version.sources.get(name) if live else None
    return storage().local(digest, folder) if digest else None


def _open_live(run: Run) -> Deployment | None:
    return (
        Deployment.objects.filter(model__use_case=run.use_case_id, mode=LIVE, ended_at=None)
        .select_related("version", "model")
        .first()
    )


def _of_run(run: Run, mode: str) -> Deployment | None:
    """The latest deployment of the run's newest version in this mode."""
    version = ModelVersion.objects.filter(run=run).order_by("-number").first()
    return (
        Deployment.objects.filter(version=version, mode=mode)
        .select_related("version", "model")
        .order_by("-started_at", "-id")
        .first()
    )


def _watched(run: Run) -> datetime | None:
    """When the watch before this one was created; None for a first one and for main runs."""
    if run.kind != "watch":
        return None
    before = Run.objects.filter(use_case=run.use_case_id, kind="watch", number__lt=run.number)
    last: datetime | None = before.order_by("-number").values_list("created_at", flat=True).first()
    return last
