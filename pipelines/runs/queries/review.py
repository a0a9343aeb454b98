"""A gate's review: the frozen evidence first, then who decided, who still can, and what I may do.

Eight queries besides the gate with its checks and decisions, which the edges fetch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from personas.errors import DomainError
from personas.models import User
from pipelines.artefacts.models import Artefact
from pipelines.blueprints.spec import StageDef
from pipelines.lifecycles import DecisionState
from pipelines.runs.models import Decision, Gate
from pipelines.runs.policies import Hat, not_deciding
from pipelines.runs.queries.brief import VOICES, Brief, brief
from pipelines.runs.queries.changes import Change, changes, same_steps
from pipelines.runs.queries.checks import CheckView, views_of
from pipelines.runs.queries.choices import Choice, Target, choices, closed, targets
from pipelines.runs.queries.clock import now as read_clock
from pipelines.runs.queries.facts import Facts, document, outputs_of
from pipelines.runs.rows import blueprint_of
from pipelines.usecases.models import Seat


@dataclass(frozen=True)
class Place:
    """One approval the gate asks for: filled by a decision, or open to these people."""

    persona: str
    decision: Decision | None
    people: tuple[str, ...]
    barred: tuple[tuple[str, str], ...]


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
    refusal: DomainError | None
    choices: tuple[Choice, ...]
    targets: tuple[Target, ...]
    curves: Mapping[str, Any]

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
    stage = blueprint.stage(gate.stage.key)
    previous = _previous(gate)
    facts: Facts = gate.pack.get("facts") or {}
    earlier: Facts = (previous.pack.get("facts") or {}) if previous else {}
    checks = views_of(gate.checks.all(), now=now, before=previous.checks.all() if previous else ())
    back_to = targets(gate)
    mine = _in_force(gate, user)
    voices = _voices(hat, gate)
    same, other = _steps(gate, previous)
    refusal = closed(gate) or not_deciding(hat, gate)
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
        places=tuple(_places(gate)),
        mine=mine,
        refusal=refusal,
        choices=tuple(choices(gate, refusal, checks=checks, targets=back_to, mine=mine)),
        targets=back_to,
        curves=_curves(gate),
    )


def _previous(gate: Gate) -> Gate | None:
    """The gate of an earlier round of the same stage that people could look at."""
    return (
        Gate.objects.filter(run=gate.run_id, stage__key=gate.stage.key, pk__lt=gate.pk)
        .select_related("stage", "closed_by")
        .prefetch_related("checks")
        .order_by("-pk")
        .first()
    )


def _in_force(gate: Gate, user: User) -> Decision | None:
    return next(
        (
            decision
            for decision in gate.decisions.all()
            if decision.user_id == user.pk and decision.state == DecisionState.IN_FORCE
        ),
        None,
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


def _places(gate: Gate) -> list[Place]:
    """Each approval asked for, with whose decision fills it or who may still give one."""
    asked = [rule["persona"] for rule in gate.policy["rules"]]
    seats = Seat.objects.filter(use_case=gate.run.use_case_id, until=None, user__is_active=True)
    seated: dict[User, list[str]] = {}
    for seat in seats.select_related("user").order_by("persona__lane", "user__name"):
        seated.setdefault(seat.user, []).append(seat.persona_id)
    decided = {d.user_id: d for d in gate.decisions.all() if d.state == DecisionState.IN_FORCE}
    taken: set[int] = set()
    places = []
    for rule in gate.policy["rules"]:
        for _ in range(rule["min"]):
            persona = rule["persona"]
            own = next(
                (
                    d
                    for d in decided.values()
                    if persona in d.personas and (d.pk not in taken or len(asked) == 1)
                ),
                None,
            )
            if own is not None:
                taken.add(own.pk)
            places.append(_place(gate, persona, own, seated))
    return places


def _place(
    gate: Gate, persona: str, decision: Decision | None, seated: Mapping[User, Sequence[str]]
) -> Place:
    people, barred = [], []
    for user, personas in seated.items():
        if persona not in personas:
            continue
        refusal = not_deciding(Hat(user, personas), gate)
        if refusal is None:
            people.append(str(user))
        else:
            barred.append((str(user), refusal.message))
    return Place(persona, decision, tuple(people), tuple(barred))


def _curves(gate: Gate) -> Mapping[str, Any]:
    """The evaluation's curves, from its artefact; {} where the stage made none."""
    for _, name, digest in outputs_of(gate.pack.get("subject") or {}):
        if name == "evaluation":
            return document(digest)
    return {}
