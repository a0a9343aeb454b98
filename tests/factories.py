"""Rows for tests, made by calling the same actions as everybody else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from django.db import connections

from personas.ledger import ENGINE
from pipelines import catalogue
from pipelines.blueprints.shipped import shipped_text
from pipelines.operations.contract import Context, OperationError, clean_params
from pipelines.runs.actions import handoffs, items, runs, stages
from pipelines.runs.lanes import Result, Work
from pipelines.runs.models import Gate, HandOff, Run, Stage, WorkItem
from pipelines.runs.worker import Worker
from pipelines.usecases.actions import create_use_case, give_seat, publish_blueprint
from pipelines.usecases.models import BlueprintVersion, UseCase
from tests.beginnings import Beginning
from tests.cast import SEATED, Cast, acting

CHECKED = """
key = "checked"
title = "Checked"
summary = "Three stages with all that a stage may have: a step, a work item, a check, a hand-off."

[[stages]]
key = "frame"
title = "Frame"
persona = "BA"

  [[stages.steps]]
  key = "state"
  operation = "noop"
  params = { message = "stated" }

  [[stages.items]]
  key = "go"
  kind = "form"
  title = "Go or no go"
  fields = [
    { key = "decision", label = "Go?", kind = "choice", choices = ["go", "no"], required = true },
    { key = "reason", label = "Reason", kind = "text" },
  ]

  [stages.gate]
  checks = [{ name = "go_no_go" }]
  rules = [{ persona = "DS", min = 1 }]
  on_reject = "send_back"
  send_back_to = ["frame"]

  [stages.hand_off]
  accept = "required"
  checklist = [{ key = "gaps", label = "Known gaps" }]

[[stages]]
key = "source"
title = "Source"
persona = "DE"
needs = ["frame"]

  [[stages.steps]]
  key = "fetch"
  operation = "noop"
  inputs = { given = "frame.state.result" }

[[stages]]
key = "operationalise"
title = "Operationalise"
persona = "MLE"
needs = ["source"]

  [[stages.steps]]
  key = "package"
  operation = "noop"

  [stages.gate]
  rules = [{ persona = "OPS", min = 1 }]
  send_back_to = ["source"]
"""
TITLE = "Late flights"
_FRAMED: dict[tuple[object, ...], Beginning] = {}  # by who is there, and its blueprint
USAGE = {"wall_seconds": 0.0, "cpu_seconds": 0.0, "peak_mib": 1}


def published(key: str = "hello") -> BlueprintVersion:
    """Publish a shipped blueprint, or `checked`; again is no change."""
    source = CHECKED if key == "checked" else shipped_text(key)
    answer = publish_blueprint(actor=ENGINE, source=source)
    return BlueprintVersion.objects.get(pk=answer.data["version"])


def use_case(cast: Cast, *, title: str = TITLE, blueprint: str = "hello") -> UseCase:
    """Amara frames a use case, and the other six take their seats."""
    if title != TITLE:  # remembering what no other test begins with would not pay
        return UseCase.objects.get(pk=_framed(cast, title, blueprint))
    beginning = _FRAMED.setdefault((cast.personas(), blueprint), Beginning())
    return UseCase.objects.get(pk=beginning.begin(lambda: _framed(cast, title, blueprint)))


def _framed(cast: Cast, title: str, blueprint: str) -> int:
    version = published(blueprint)
    answer = create_use_case(actor=acting(cast.amara), title=title, blueprint=version.blueprint.key)
    made = UseCase.objects.get(pk=answer.data["use_case"])
    for login in SEATED:
        user = getattr(cast, login)
        if user == cast.amara:
            continue
        persona = user.personas.get().code
        give_seat(actor=acting(cast.amara), use_case=made, user=user, persona=persona)
    return made.pk


def run_of(
    cast: Cast,
    within: UseCase,
    *,
    parameters: Mapping[str, Any] | None = None,
    start: bool = True,
) -> Run:
    """Amara creates a run of the use case's blueprint."""
    version = BlueprintVersion.objects.get(blueprint=within.blueprint, state="published")
    answer = runs.create(
        actor=acting(cast.amara),
        use_case=within,
        version=version,
        parameters=parameters or {},
        start=start,
    )
    return Run.objects.select_related("use_case", "version__blueprint").get(pk=answer.data["run"])


def hello_run(cast: Cast, *, seconds: float = 0.0, start: bool = True) -> Run:
    """A run of the three-stage blueprint, on a use case of its own."""
    return run_of(cast, use_case(cast), parameters={"seconds": seconds}, start=start)


class InlineLane:
    """A lane that computes in the test's own process: same worker, no child."""

    number = 0

    def perform(self, work: Work, beat: Any, *, beat_every: float) -> Result:
        """Compute at once; answers as a child does."""
        spec = catalogue.spec(work.operation)
        log: list[str] = []
        context = Context(
            connection=work.connection or {},
            inputs={name: Path(path) for name, path in work.inputs.items()},
            many={p: {n: Path(f) for n, f in files.items()} for p, files in work.many.items()},
            params=clean_params(spec, dict(work.params)),
            seed=work.seed,
            folder=work.folder,
            spec=spec,
            report=lambda fraction, message, rows=None: None,
            write_log=log.append,
        )
        try:
            outcome: Any = catalogue.resolve(work.operation)(context)
        except OperationError as error:
            return Result("error", {"error": error.as_json(), "usage": USAGE}, "\n".join(log))
        message = {
            "facts": json.loads(json.dumps(outcome.facts)),
            "outputs": {name: str(path) for name, path in outcome.outputs.items()},
            "usage": USAGE,
        }
        return Result("done", message, "\n".join(log))


def work_off(*, most: int = 100) -> int:
    """Perform what is queued until nothing is left; returns how many attempts that took."""
    worker = Worker(queues=("cpu", "memory"), lanes=0)
    lane: Any = InlineLane()
    done = 0
    # The worker would close a connection that is inside the test's transaction.
    with mock.patch.object(connections["default"], "close_if_unusable_or_obsolete"):
        while done < most and worker.perform_next(lane):
            done += 1
    return done


def stage_of(run: Run, key: str) -> Stage:
    """Return the stage's current round."""
    return run.stages.get(key=key, current=True)


def open_gate(run: Run) -> Gate:
    """Return the run's open gate."""
    return run.gates.select_related("stage", "run").get(state="OPEN")


def to_gate(cast: Cast, run: Run) -> Gate:
    """Carry a hello run to its gate: dmitri owns what sofia is to decide on."""
    work_off(most=1)  # the first stage; its hand-off is accepted by itself
    stages.take(actor=acting(cast.dmitri), stage=stage_of(run, "prepare"))
    work_off()
    return open_gate(run)


def open_hand_off(run: Run) -> HandOff:
    """Return the run's open hand-off."""
    rows = run.hand_offs.select_related("source", "target", "run")
    return rows.get(state__in=("PREPARING", "OFFERED", "ESCALATED"))


def offered(cast: Cast, hand_off: HandOff) -> HandOff:
    """Dmitri offers what he prepared."""
    handoffs.offer(actor=acting(cast.dmitri), hand_off=hand_off, answers={"gaps": "none known"})
    hand_off.refresh_from_db()
    return hand_off


def completed(cast: Cast, item: WorkItem, data: Mapping[str, Any]) -> WorkItem:
    """Somebody of the item's persona completes it."""
    user = item.holder or cast.of(item.candidates[0])
    items.complete(actor=acting(user), item=item, data=data, version=item.version)
    item.refresh_from_db()
    return item
