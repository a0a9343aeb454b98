"""A gate's review: the frozen evidence first, then who decided, who still can, and what I may do.

Nine queries besides the gate with its checks, decisions and findings, which the edges fetch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from personas.errors import Conflict, DomainError, NotAllowed
from personas.models import User
from pipelines.artefacts.models import Artefact
from pipelines.blueprints.spec import StageDef
from pipelines.lifecycles import DecisionState, GateState, Verdict
from pipelines.runs import blind
from pipelines.runs.models import Decision, Finding, Gate
from pipelines.runs.policies import Hat, not_deciding, not_overriding
from pipelines.runs.queries.brief import VOICES, Brief, brief
from pipelines.runs.queries.changes import Change, changes, same_steps
from pipelines.runs.queries.checks import CheckView, views_of
from pipelines.runs.queries.choices import Choice, Target, choices, closed, targets
from pipelines.runs.queries.clock import now as read_clock
from pipelines.runs.queries.facts import Facts, document, outputs_of, saying
from pipelines.runs.queries.places import Place, places_of, seated_on
from pipelines.runs.rows import blueprint_of, stage_def


@dataclass(frozen=True)
class Role:
    """In whose right the reader may decide: their own (`giver` is None), or as a deputy."""

    giver: User | None
    refusal: DomainError | None


@dataclass(frozen=True)
class Statement:
    """What a person stated in a work item of the stage: (label, value) pairs."""

    title: str
    fields: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Output:
    """An artefact that is part of what is signed."""

    step: str
    name: str
    digest: str
    media: str
    size: int | None


@dataclass(frozen=True)
class Review:
    """Everything the review page shows, as of `now`."""

    gate: Gate
    stage: StageDef
    now: datetime
    checks: tuple[CheckView, ...]
    brief: Brief
    voices: tuple[str, ...]
    previous: Gate | None
    changes: tuple[Change, ...]
    recomputed: tuple[str, ...]
    unchanged: tuple[str, ...]
    statements: tuple[Statement, ...]
    outputs: tuple[Output, ...]
    places: tuple[Place, ...]
    mine: Decision | None
    roles: tuple[Role, ...]
    decided: int
    findings: tuple[Finding, ...]
    personas: tuple[str, ...]
    may_confirm: bool
    approved_before: bool
    override_refusal: DomainError | None
    refusal: DomainError | None
    choices: tuple[Choice, ...]
    targets: tuple[Target, ...]
    curves: Mapping[str, Any]
    ageing: Mapping[str, Any]

    @property
    def red(self) -> tuple[CheckView, ...]:
        """The checks that approval waits for."""
        return tuple(check for check in self.checks if check.blocks)

    @property
    def may_decide(self) -> bool:
        """Whether any verdict is open to the reader."""
        return any(choice.refusal is None for choice in self.choices)


def review(user: User, gate: Gate, *, voice: str = "") -> Review:
    """Return the review of a gate whose checks and decisions have been fetched."""
    now = read_clock()
    hat = Hat.of(user, gate.run)
    blueprint = blueprint_of(gate.run)
    stage = stage_def(gate.run, gate.stage.key)
    previous = _previous(gate)
    facts: Facts = gate.pack.get("facts") or {}
    earlier: Facts = (previous.pack.get("facts") or {}) if previous else {}
    checks = views_of(gate.checks.all(), now=now, before=previous.checks.all() if previous else ())
    back_to = targets(gate)
    mine = _in_force(gate, user)
    seated = seated_on(gate)
    roles = _roles(hat, gate)
    voices = _voices(hat, gate)
    same, other = _steps(gate, previous)
    refusal = closed(gate) or _no_role(roles) or _settled(gate, mine, now)
    return Review(
        gate=gate,
        stage=stage,
        now=now,
        checks=checks,
        brief=brief(voice if voice in VOICES else voices[0], facts),
        voices=voices,
        previous=previous,
        changes=changes(blueprint, earlier, facts) if previous else (),
        recomputed=tuple(_titles(stage, other)),
        unchanged=tuple(_titles(stage, same)),
        statements=tuple(_statements(stage, facts)),
        outputs=tuple(_outputs(stage, gate)),
        places=places_of(user, gate, seated),
        mine=mine,
        roles=roles,
        decided=sum(d.state == DecisionState.IN_FORCE for d in gate.decisions.all()),
        findings=tuple(gate.findings.all()),
        personas=tuple(dict.fromkeys(code for held in seated.values() for code in held)),
        may_confirm=mine is not None
        and blind.thinking(gate, now)
        and gate.state == GateState.OPEN
        and mine.confirmed_at is None,
        approved_before=refusal is None and mine is None and _approved(user, previous),
        override_refusal=closed(gate) or not_overriding(hat, gate)
        if user.can("gate.override")
        else NotAllowed("gate.override", "Overriding takes the capability gate.override."),
        refusal=refusal,
        choices=tuple(choices(gate, refusal, checks=checks, targets=back_to, mine=mine)),
        targets=back_to,
        curves=_curves(gate),
        ageing=_of_stage(gate, facts, "aged", "curve"),
    )


def _previous(gate: Gate) -> Gate | None:
    """The gate of an earlier round of the same stage that people could look at."""
    return (
        Gate.objects.filter(run=gate.run_id, stage__key=gate.stage.key, pk__lt=gate.pk)
        .select_related("stage", "closed_by")
        .prefetch_related("checks", "decisions")
        .order_by("-pk")
        .first()
    )


def _approved(user: User, previous: Gate | None) -> bool:
    """Whether the reader approved the round before: they may do so again with one click."""
    return previous is not None and any(
        decision.user_id == user.pk
        and decision.on_behalf_of_id is None
        and decision.verdict == Verdict.APPROVE
        and decision.state == DecisionState.IN_FORCE
        for decision in previous.decisions.all()
    )


def _in_force(gate: Gate, user: User) -> Decision | None:
    """The reader's decision, or the one that a deputy gave for them."""
    found = [d for d in gate.decisions.all() if d.state == DecisionState.IN_FORCE]
    return next((decision for decision in found if user.pk in decision.principals), None)


def _roles(hat: Hat, gate: Gate) -> tuple[Role, ...]:
    """The reader's own right first, then everybody they are deputy for here."""
    givers = (None, *(one.giver for one in hat.lent))
    return tuple(Role(giver, not_deciding(hat, gate, giver)) for giver in givers)


def _no_role(roles: Sequence[Role]) -> DomainError | None:
    """Why the reader decides in nobody's right; None where there is one."""
    return None if any(role.refusal is None for role in roles) else roles[0].refusal


def _settled(gate: Gate, mine: Decision | None, now: datetime) -> DomainError | None:
    """Why a verdict of a revealed gate cannot be changed any more; None where it can."""
    if mine is None or mine.confirmed_at is None or not blind.thinking(gate, now):
        return None
    return Conflict(
        "changed_once",
        f"Yours is settled; the verdicts are counted at {gate.tally_at:%d %b %H:%M}.",
    )


def _voices(hat: Hat, gate: Gate) -> tuple[str, ...]:
    """The reader's own personas first, those the gate asks before the others."""
    asked = [rule["persona"] for rule in gate.policy["rules"]]
    own = [persona for persona in asked if hat.wears(persona)] + list(hat.personas)
    return tuple(dict.fromkeys([*own, *asked, *VOICES]))


def _steps(gate: Gate, previous: Gate | None) -> tuple[list[str], list[str]]:
    if previous is None:
        return [], []
    return same_steps(previous.pack.get("subject") or {}, gate.pack.get("subject") or {})


def _titles(stage: StageDef, keys: Sequence[str]) -> list[str]:
    known = {step.key: step.title for step in stage.all_steps()}
    return [known.get(key, key) for key in keys]


def _statements(stage: StageDef, facts: Facts) -> list[Statement]:
    found = []
    for item in stage.items:
        said = facts.get(f"item.{stage.key}.{item.key}")
        if said:
            pairs = tuple((f.label, said.get(f.key)) for f in item.fields)
            found.append(Statement(item.title, tuple(p for p in pairs if p[1] not in (None, ""))))
    return found


def _outputs(stage: StageDef, gate: Gate) -> list[Output]:
    made = list(outputs_of(gate.pack.get("subject") or {}))
    known = Artefact.objects.in_bulk([digest for _, _, digest in made])
    titles = {step.key: step.title for step in stage.all_steps()}
    return [
        Output(
            titles.get(step, step),
            name,
            digest,
            known[digest].media if digest in known else "",
            known[digest].size if digest in known else None,
        )
        for step, name, digest in made
    ]


def _of_stage(gate: Gate, facts: Facts, *keys: str) -> Mapping[str, Any]:
    """The facts of the gate's own stage that say all of these: later gates show other things."""
    mine = {place: said for place, said in facts.items() if place.startswith(f"{gate.stage.key}.")}
    return saying(mine, *keys)


def _curves(gate: Gate) -> Mapping[str, Any]:
    """The evaluation's curves, from its artefact; {} where the stage made none."""
    for _, name, digest in outputs_of(gate.pack.get("subject") or {}):
        if name == "evaluation":
            return document(digest)
    return {}
