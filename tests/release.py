"""Rows for tests of registry, serving and monitoring: a run with its package, gates, effects."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from personas.actions import sync_personas
from personas.commands import Answer, Command, execute
from personas.ledger import Actor
from personas.models import BatonNow, Persona, User
from pipelines import catalogue
from pipelines.artefacts.actions import keep
from pipelines.lifecycles import AttemptState, GateState, RunState, StageState, StepState
from pipelines.operations.packages.example import Packaged, write_package
from pipelines.registry.models import Model, ModelVersion
from pipelines.runs.effects import EffectContext
from pipelines.runs.models import Attempt, Gate, Run, Stage, Step
from pipelines.usecases.models import Blueprint, BlueprintVersion, Seat, UseCase

WORKER = Actor("worker", "worker")


@cache
def packaged(family: str = "boosting", seed: int = 1) -> Packaged:
    """A real small package, made once per test session."""
    folder = Path(tempfile.mkdtemp(prefix="baton-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write_package(folder, family=family, seed=seed)


def _personas_are_there() -> None:
    if not Persona.objects.exists():  # making sure of each takes fourteen queries
        sync_personas()


def person(name: str, *, use_case: UseCase | None = None, persona: str = "") -> User:
    """A person, seated where a use case and a persona are named."""
    _personas_are_there()
    user, _ = User.objects.get_or_create(username=name.lower(), defaults={"name": name})
    if use_case is not None and persona:
        Seat.objects.get_or_create(use_case=use_case, user=user, persona_id=persona, until=None)
    return user


def use_case(key: str = "late-journeys") -> UseCase:
    """A use case framed by Ada."""
    return UseCase.objects.create(key=key, title="Late journeys", created_by=person("Ada"))


def run_of(case: UseCase, *, version: BlueprintVersion | None = None, kind: str = "main") -> Run:
    """A running run of that use case; its blueprint has nothing in it."""
    if version is None:
        blueprint, _ = Blueprint.objects.get_or_create(
            key=f"release-{kind}", defaults={"title": "Release", "kind": kind}
        )
        version, _ = BlueprintVersion.objects.get_or_create(
            blueprint=blueprint, number=1, defaults={"digest": f"{kind}-1", "body": {}}
        )
    number = case.runs.filter(kind=kind).count() + 1
    return Run.objects.create(
        use_case=case, version=version, kind=kind, number=number, state=RunState.RUNNING,
        created_by=case.created_by,
    )  # fmt: skip


def stage_of(run: Run, key: str = "register", position: int = 7) -> Stage:
    """The current round of a stage."""
    _personas_are_there()
    stage, _ = Stage.objects.get_or_create(
        run=run, key=key, current=True,
        defaults={"position": position, "persona_id": "MLE", "state": StageState.ACTIVE},
    )  # fmt: skip
    return stage


def step_with(
    run: Run,
    place: str,
    outputs: Mapping[str, Path],
    facts: Mapping[str, Any],
    *,
    position: int = 1,
    operation: str = "noop",
) -> Step:
    """A finished step "stage.step" with these outputs in storage."""
    stage_key, key = place.split(".")
    stage = stage_of(run, stage_key, position)
    kept = {name: keep(path, media=path.suffix[1:] or "bin") for name, path in outputs.items()}
    listed = {
        name: {"name": name, "digest": one.digest, "size": one.size, "media": one.media}
        for name, one in kept.items()
    }
    step = Step.objects.create(
        run=run, stage=stage, key=key, position=1, operation=operation, state=StepState.RUNNING
    )
    attempt = Attempt.objects.create(
        step=step, run=run, number=1, state=AttemptState.SUCCEEDED, operation=operation,
        due_at=BatonNow(), outputs=listed, facts=dict(facts),
    )  # fmt: skip
    Step.objects.filter(pk=step.pk).update(state=StepState.SUCCEEDED, result=attempt)
    return Step.objects.select_related("stage", "result").get(pk=step.pk)


def gate_of(run: Run, stage: str = "register") -> Gate:
    """An approved gate of a stage."""
    return Gate.objects.create(
        run=run, stage=stage_of(run, stage), state=GateState.APPROVED, subject_digest="s"
    )


def cause(
    effect: str, run: Run, *, step: Step | None = None, gate: Gate | None = None,
    facts: Mapping[str, Mapping[str, Any]] | None = None, actor: Actor = WORKER,
) -> Answer:  # fmt: skip
    """Call an effect as the engine does: inside a command that has locked the run."""
    steps = Step.objects.filter(run=run).exclude(result=None).select_related("stage", "result")
    places = {f"{one.stage.key}.{one.key}": one.result for one in steps}
    known = {place: one.facts for place, one in places.items() if one} | dict(facts or {})
    outputs = {place: one.outputs for place, one in places.items() if one}
    stage = step.stage if step else gate.stage if gate else stage_of(run)

    def body(command: Command, locked: Run) -> dict[str, object]:
        catalogue.effect(effect)(
            EffectContext(
                command=command, run=locked, stage=stage, step=step, gate=gate,
                facts=known, outputs=outputs,
            )
        )  # fmt: skip
        return {}

    return execute(
        actor=actor, name="effect", lock=lambda: Run.objects.select_for_update().get(pk=run.pk),
        body=body,
    )  # fmt: skip


@dataclass(frozen=True)
class Release:
    """A use case with a registered, approved version."""

    case: UseCase
    run: Run
    model: Model
    version: ModelVersion
    packaged: Packaged


def release(
    case: UseCase | None = None, *, family: str = "boosting", seed: int = 1,
    parameters: Mapping[str, Any] | None = None, approve: bool = True,
    made: Packaged | None = None,
) -> Release:  # fmt: skip
    """Register (and approve) a version of a real package."""
    case = case or use_case()
    run = run_of(case)
    run.parameters = dict(parameters or {})
    run.save(update_fields=["parameters"])
    made = made or packaged(family, seed)
    step_with(run, "explore.split", {"holdout": made.holdout}, {}, position=2)
    facts = {
        "threshold": 0.4, "classes": [0, 1],
        "columns": ["wind", "seats", "place", "vehicle", "holiday", "booked"],
        "types": {
            "wind": "number", "seats": "number", "place": "string", "vehicle": "string",
            "holiday": "boolean", "booked": "datetime",
        },
    }  # fmt: skip
    step_with(run, "operationalise.package", {"package": made.package}, facts, position=6)
    brief = {"item.frame.brief": {"fallback": "Nobody is rebooked."}}
    cause("register_version", run, facts=brief)
    model = Model.objects.get(use_case=case)
    if approve:
        cause("approve_version", run, gate=gate_of(run))
    version = ModelVersion.objects.get(run=run)
    return Release(case, run, model, version, made)
