"""Lint and publish blueprints."""

from collections.abc import Mapping

from django.db.models import Max

from personas import policies as people
from personas.commands import Answer, Command, execute
from personas.errors import Invalid
from personas.ledger import Actor
from personas.models import Persona
from pipelines import catalogue
from pipelines.blueprints.digest import dump
from pipelines.blueprints.lint import lint
from pipelines.blueprints.parse import parse, parse_toml
from pipelines.blueprints.problems import BlueprintErrors, Problem, errors_of
from pipelines.blueprints.spec import Blueprint as Plan
from pipelines.usecases.models import Blueprint, BlueprintVersion


def lint_plan(plan: Plan) -> list[Problem]:
    """Return every problem of a plan against the personas and catalogue of this installation."""
    used = {step.operation for stage in plan.stages for step in stage.all_steps()}
    return lint(
        plan,
        personas=set(Persona.objects.values_list("code", flat=True)),
        operations={name: catalogue.spec(name) for name in used if catalogue.knows(name)},
        checks=set(catalogue.CHECKS),
        effects=set(catalogue.EFFECTS),
        feeds=set(catalogue.FEEDS),
        refused={name: catalogue.why_not(name) for name in used},
    )


def lint_source(source: str | Mapping[str, object]) -> tuple[str, tuple[Problem, ...]]:
    """Return digest and problems of a TOML text or body; an unreadable one has no digest."""
    try:
        plan = parse_toml(source) if isinstance(source, str) else parse(source)
    except BlueprintErrors as error:
        return "", tuple(error.problems)
    return plan.digest, tuple(lint_plan(plan))


def publish_blueprint(
    *, actor: Actor, source: str | Mapping[str, object], key: str | None = None
) -> Answer:
    """Publish a TOML text or JSON body as the blueprint's next version; the same content is one.

    Raises Invalid with every problem by path; nothing half-created stays.
    """
    if actor.user is not None:
        people.require(actor.user, "blueprint.publish")
    try:
        plan = parse_toml(source) if isinstance(source, str) else parse(source)
        problems = errors_of(lint_plan(plan))
    except BlueprintErrors as error:
        problems = error.problems
    if problems:
        fields: dict[str, list[str]] = {}
        for problem in problems:
            fields.setdefault(problem.path or "blueprint", []).append(
                f"{problem.message} [{problem.rule}]"
                + (f" (got {problem.value})" if problem.value else "")
            )
        raise Invalid(f"The blueprint has {len(problems)} problems.", fields=fields)

    def body(command: Command, blueprint: Blueprint) -> dict[str, object]:
        same = BlueprintVersion.objects.filter(digest=plan.digest).first()
        if same is not None and same.state == "published":
            return _published(same, new=False)
        blueprint.versions.filter(state="published").update(state="retired")
        if same is not None:
            same.state = "published"
            same.save(update_fields=["state"])
            return _published(same, new=False)
        last = blueprint.versions.aggregate(last=Max("number"))["last"] or 0
        version = BlueprintVersion.objects.create(
            blueprint=blueprint,
            number=last + 1,
            digest=plan.digest,
            body=dump(plan),
            published_at=command.now,
            published_by=actor.user,
        )
        command.recorder.record(
            ("blueprint", plan.key),
            "blueprint.published",
            subject=("blueprint_version", version.pk),
            data={"number": version.number, "digest": plan.digest},
        )
        return _published(version, new=True)

    return execute(
        actor=actor,
        name="publish_blueprint",
        lock=lambda: _lock_blueprint(plan),
        body=body,
        key=key,
        request={"digest": plan.digest},
    )


def _published(version: BlueprintVersion, *, new: bool) -> dict[str, object]:
    return {
        "version": version.pk,
        "blueprint": version.blueprint.key,
        "number": version.number,
        "digest": version.digest,
        "new": new,
    }


def _lock_blueprint(plan: Plan) -> Blueprint:
    Blueprint.objects.bulk_create(
        [Blueprint(key=plan.key, title=plan.title, kind=plan.kind)], ignore_conflicts=True
    )
    return Blueprint.objects.select_for_update().get(key=plan.key)
