"""Effects that blueprints name: called inside the transaction of a step or a closing gate."""

from collections.abc import Iterator, Mapping

from personas.errors import Conflict
from pipelines.blueprints.refs import Json
from pipelines.lifecycles import MODEL_VERSION, NEW, ModelVersionState
from pipelines.lifecycles import move as next_state
from pipelines.registry import moves
from pipelines.registry.models import CANARY, SHADOW, Model, ModelVersion
from pipelines.runs.conditions import lapse_of
from pipelines.runs.effects import EffectContext, LapseContext
from pipelines.runs.models import Step

CANARY_SHARE = 0.05  # catalogue 6.3: 5 % of traffic (own)
# Outputs whose digests a version keeps: its lineage, and what monitoring holds windows against.
SOURCES = (
    "table", "train", "holdout", "contract", "features", "candidate", "evaluation", "predictions",
    "slices", "explanation", "comparison", "card", "document", "report",
)  # fmt: skip


def register_version(context: EffectContext) -> None:
    """Register the run's package as the next version of the use case's model.

    The same package of the same run is registered once. Raises Conflict without a package.
    """
    model = _model(context)
    package = _package(context)
    if ModelVersion.objects.filter(run=context.run, package_id=package).exists():
        return
    last = model.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = ModelVersion.objects.create(
        model=model,
        number=last + 1,
        state=next_state(MODEL_VERSION, NEW, "register"),
        run=context.run,
        package_id=package,
        sources=dict(_sources(context)),
        facts=_facts(context),
        registered_by=context.command.actor.user,
        registered_at=context.command.now,
    )
    context.command.recorder.record(
        model.stream,
        "model_version.register",
        subject=("model_version", version.pk),
        after=version.state,
        data={"number": version.number, "package": package, "run": context.run.pk},
        topic="model_version.register",
    )


def approve_version(context: EffectContext) -> None:
    """Approve the run's version by the gate that has just closed.

    Raises Conflict, also where an earlier approval of the run, on which this one rests, lapsed.
    """
    version = _version(context)
    lapsed = lapse_of(context.run.pk)
    if lapsed is not None:
        raise Conflict(
            "approval_lapsed",
            f"The approval of {lapsed.gate.stage.key} lapsed, for “{lapsed}” was not resolved in"
            " time: that stage needs another round first.",
            state=lapsed.state,
            at=lapsed.closed_at,
        )
    moves.move_version(
        context.command,
        version,
        "approve",
        data={"gate": context.gate.pk if context.gate else None},
        approval=context.gate,
        approved_at=context.command.now,
    )


def deploy_shadow(context: EffectContext) -> None:
    """Let the run's version score beside what answers, unseen by callers. Raises Conflict."""
    version = _version(context)
    moves.start(context.command, version, mode=SHADOW, approval=version.approval, run=context.run)


def deploy_canary(context: EffectContext) -> None:
    """Let the run's version answer a share of the callers; its shadow ends. Raises Conflict."""
    version = _version(context)
    for earlier in moves.open_deployments(version.model, SHADOW):
        moves.end(context.command, earlier, reason="the canary began")
    share = context.run.parameters.get("canary_share")
    moves.start(
        context.command,
        version,
        mode=CANARY,
        approval=version.approval,
        run=context.run,
        share=float(share) if isinstance(share, int | float) else CANARY_SHARE,
    )


def end_trial(context: EffectContext) -> None:
    """End the run's shadow and canary: what was sent back or cancelled must answer nobody."""
    model = Model.objects.filter(use_case=context.run.use_case_id).first()
    if model is None:
        return
    for deployment in moves.open_deployments(moves.lock_model(model.pk), SHADOW, CANARY):
        if deployment.run_id == context.run.pk:
            moves.end(context.command, deployment, reason="the stage that deployed it was left")


def go_live(context: EffectContext) -> None:
    """Let the run's version answer all callers, by the gate that has just closed.

    Shadow, canary and the champion before it end. Raises Conflict.
    """
    version = _version(context)
    gate = context.gate or version.approval
    moves.to_all(context.command, version, approval=gate, run=context.run)


def lapse_versions(context: LapseContext) -> None:
    """Let the approval of the run's versions lapse: none is deployed until a gate approves anew.

    A gate of a round that counts no more takes only what it approved itself.
    """
    versions = ModelVersion.objects.filter(run=context.run, state=ModelVersionState.APPROVED)
    if not context.gate.stage.current:
        versions = versions.filter(approval=context.gate)
    for version in versions.order_by("pk"):
        version.model = moves.lock_model(version.model_id)
        moves.move_version(
            context.command,
            version,
            "lapse",
            data={"gate": context.gate.pk, "finding": context.finding.pk},
        )


def _model(context: EffectContext) -> Model:
    """The use case's model, locked; made on the first registration."""
    use_case = context.run.use_case
    brief = context.facts.get("item.frame.brief", {})
    made, _ = Model.objects.get_or_create(
        use_case=use_case,
        defaults={
            "name": use_case.key,
            "title": use_case.title,
            "fallback": str(brief.get("fallback") or ""),
        },
    )
    return _in_use(moves.lock_model(made.pk))


def _in_use(model: Model) -> Model:
    """The model, unless its use case is retired: a run that went on must not bring it back."""
    if model.use_case.retired_at is not None:
        raise Conflict(
            "use_case_retired",
            f"{model.use_case} is retired: nothing of {model} is registered, approved or deployed.",
            state="retired",
            at=model.use_case.retired_at,
        )
    return model


def _version(context: EffectContext) -> ModelVersion:
    """The version of the package that the run's current rounds hold, its model locked."""
    found = (
        ModelVersion.objects.select_related("approval")
        .filter(run=context.run, package_id=_package(context))
        .first()
    )
    if found is None:
        raise Conflict(
            "version_not_registered", f"{context.run} has not registered its package yet."
        )
    found.model = _in_use(moves.lock_model(found.model_id))
    return found


def _package(context: EffectContext) -> str:
    digests = [digest for _, name, digest in _outputs(context) if name == "package"]
    if not digests:
        raise Conflict("no_package", f"{context.run} has no step that gives a package.")
    return digests[-1]


def _outputs(context: EffectContext) -> Iterator[tuple[str, str, str]]:
    """(stage.step, output name, digest) of the stages' own steps, in order.

    What a hand-off's contract made to try (a package, say) is not what the stage delivers.
    """
    own = Step.objects.filter(run=context.run, stage__current=True, hand_off=None)
    order = own.order_by("stage__position", "position").values_list("stage__key", "key")
    for stage, key in order:
        place = f"{stage}.{key}"
        for name, output in context.outputs.get(place, {}).items():
            yield place, name, str(output["digest"])


def _sources(context: EffectContext) -> Iterator[tuple[str, str]]:
    """Digests by name; reports also by their step, since several steps give one."""
    for place, name, digest in _outputs(context):
        if name in SOURCES:
            yield (f"{place}.{name}" if name == "report" else name), digest


def _facts(context: EffectContext) -> dict[str, Json]:
    """What lists and prediction answers show of a version without opening artefacts."""
    evaluated = _facts_of(context, "evaluation")
    packaged = _facts_of(context, "package")
    compared = _facts_of(context, "comparison")
    return {
        "metrics": evaluated.get("metrics"),
        "threshold": packaged.get("threshold"),
        "classes": packaged.get("classes"),
        "columns": packaged.get("columns"),
        "types": packaged.get("types"),
        "family": evaluated.get("family"),
        "scoring_path": packaged.get("scoring_path"),
        "bytes": packaged.get("bytes"),
        "champion": compared.get("champion"),
        "licence": _facts_of(context, "card").get("licence"),
    }


def _facts_of(context: EffectContext, output: str) -> Mapping[str, Json]:
    """Facts of the step that gave this output."""
    places = [place for place, name, _ in _outputs(context) if name == output]
    return context.facts.get(places[-1], {}) if places else {}
