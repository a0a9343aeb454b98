"""A gate's review: the frozen evidence first, then who decided, who still can, and what I may do.

Eleven queries besides the gate with its checks, decisions and findings, which the edges fetch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, When
from django.db.models.functions import JSONObject

from personas.errors import Conflict, DomainError, NotAllowed
from personas.models import User
from pipelines.artefacts.models import Artefact
from pipelines.blueprints.spec import StageDef
from pipelines.lifecycles import DecisionState, GateState, Verdict
from pipelines.runs import blind
from pipelines.runs.models import Check, Decision, Finding, Gate
from pipelines.runs.policies import Hat, not_deciding, not_looking, not_overriding
from pipelines.runs.queries.brief import VOICES, Brief, brief
from pipelines.runs.queries.changes import Change, changes, same_steps
from pipelines.runs.queries.checks import CheckView, views_of
from pipelines.runs.queries.choices import VERDICTS, Choice, Target, choices, closed, targets
from pipelines.runs.queries.comments import Talk, talk_on
from pipelines.runs.queries.differences import Differences, differences
from pipelines.runs.queries.facts import Facts, document, outputs_of, saying
from pipelines.runs.queries.looks import Looked, looked_at
from pipelines.runs.queries.places import Place, places_of, seated_on
from pipelines.runs.rows import blueprint_of, stage_def

CHAMPION, RUN, ROUND = 1, 2, 3


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
class Against:
    """An earlier review of the same stage that this one is held against."""

    title: str
    gate: Gate
    differences: Differences


@dataclass(frozen=True)
class News:
    """What happened here since the reader looked last."""

    at: datetime
    who: str
    what: str


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
    looked: Looked
    may_look: bool
    looked_gate: Gate | None
    news: tuple[News, ...]
    against: tuple[Against, ...]
    talk: Talk
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


def review(user: User, gate: Gate, *, voice: str = "", live: QuerySet[Any] | None = None) -> Review:
    """Return the review of a gate whose checks and decisions have been fetched.

    `live`: ids of the runs whose models answer now, for the champion is another app's business.
    """
    looked = looked_at(user, gate)
    now = looked.now
    hat = Hat.of(user, gate.run)
    blueprint = blueprint_of(gate.run)
    stage = stage_def(gate.run, gate.stage.key)
    mine = _in_force(gate, user)
    if mine is not None and looked.since is None:
        looked = replace(looked, since=mine.at)
    earlier_gates = earlier_reviews(gate, user, live)
    previous = earlier_gates.get(ROUND)
    seen = _seen_before(gate, looked, previous)
    base = seen or previous
    facts: Facts = gate.pack.get("facts") or {}
    earlier: Facts = (base.pack.get("facts") or {}) if base else {}
    checks = views_of(gate.checks.all(), now=now, before=_checks_of(previous))
    back_to = targets(gate)
    seated = seated_on(gate)
    roles = _roles(hat, gate)
    voices = _voices(hat, gate)
    same, other = _steps(gate, base)
    talk = talk_on(user, gate.run, settles=bool(hat.personas))
    refusal = closed(gate) or _no_role(roles) or _settled(gate, mine, now)
    return Review(
        gate=gate,
        stage=stage,
        now=now,
        checks=checks,
        brief=brief(voice if voice in VOICES else voices[0], facts),
        voices=voices,
        previous=previous,
        looked=looked,
        may_look=not_looking(hat) is None,
        looked_gate=seen,
        news=tuple(_news(user, gate, talk, looked.since)),
        against=tuple(_against(earlier_gates, facts)),
        talk=talk,
        changes=changes(blueprint, earlier, facts) if base else (),
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
        approved_before=refusal is None and mine is None and _approved(previous),
        override_refusal=closed(gate) or not_overriding(hat, gate)
        if user.can("gate.override")
        else NotAllowed("gate.override", "Overriding takes the capability gate.override."),
        refusal=refusal,
        choices=tuple(choices(gate, refusal, checks=checks, targets=back_to, mine=mine)),
        targets=back_to,
        curves=_curves(gate),
        ageing=_of_stage(gate, facts, "aged", "curve"),
    )


def earlier_reviews(gate: Gate, user: User, live: QuerySet[Any] | None = None) -> dict[int, Gate]:
    """Return the newest review of the same stage before this one: of an earlier round of the run,
    of the run whose model answers now, of another run that was approved; one query.
    """
    own, champion = Q(run=gate.run_id), Q(run__in=live) if live is not None else Q(pk=None)
    approved = Q(state=GateState.APPROVED)
    mine = Q(gate_id=OuterRef("pk"), user=user, on_behalf_of=None, verdict=Verdict.APPROVE)
    given = Decision.objects.filter(mine, state=DecisionState.IN_FORCE)
    judged = Check.objects.filter(gate_id=OuterRef("pk")).values(
        found=JSONObject(name="name", verdict="verdict", result="result")
    )
    rows = (
        Gate.objects.filter(run__use_case=gate.run.use_case_id, stage__key=gate.stage.key)
        .filter(own | approved, pk__lt=gate.pk, run__kind=gate.run.kind)
        .annotate(
            what=Case(
                When(own, then=ROUND), When(champion, then=CHAMPION), default=RUN,
                output_field=IntegerField(),
            ),
            judged=ArraySubquery(judged),
            approved_by_me=Exists(given),
            decided_by_me=Exists(Decision.objects.filter(gate_id=OuterRef("pk"), user=user)),
        )
        .select_related("run", "stage", "closed_by")
        .order_by("what", "-pk")
        .distinct("what")
    )  # fmt: skip
    return {row.what: row for row in rows}


def _checks_of(previous: Any) -> list[Check]:
    """The checks of an earlier round, as they were fetched with it."""
    found = previous.judged if previous is not None else ()
    return [Check(**one) for one in found]


def _seen_before(gate: Gate, looked: Looked, previous: Gate | None) -> Gate | None:
    """The earlier review that the reader looked at last; who decided there has looked.

    None where there is none, or the reader has looked at this one.
    """
    if looked.since is not None:
        return None
    given: Any = previous
    if given is not None and given.decided_by_me:
        return previous
    if looked.gate is None:
        return None
    if previous is not None and previous.pk == looked.gate:
        return previous
    return Gate.objects.select_related("stage", "closed_by").get(pk=looked.gate)


def _against(earlier: Mapping[int, Gate], facts: Facts) -> Iterator[Against]:
    """What the evidence is held against, the champion first."""
    for what in (CHAMPION, RUN, ROUND):
        gate = earlier.get(what)
        if gate is not None:
            title = {
                CHAMPION: f"the champion, {gate.run.label}",
                RUN: f"the run before, {gate.run.label}",
                ROUND: f"round {gate.stage.round}",
            }[what]
            found = differences(facts, gate.pack.get("facts") or {})
            yield Against(title, gate, found)


def _news(user: User, gate: Gate, talk: Talk, since: datetime | None) -> Iterator[News]:
    """What others did here since; what a blind gate hides stays hidden."""
    if since is None:
        return
    found = [
        News(d.at, d.who, f"decided: {VERDICTS.get(d.verdict, d.verdict).lower()}")
        for d in blind.seen_by(user, gate, gate.decisions.all())
        if d.at > since and user.pk not in d.principals
    ]
    for thread in talk.threads:
        for remark in thread.remarks:
            comment = remark.comment
            if comment.created_at > since and comment.author_id != user.pk:
                found.append(News(comment.created_at, str(comment.author), "commented"))
        settled = thread.first.comment
        if settled.resolved_at and settled.resolved_at > since and settled.resolved_by != user:
            found.append(News(settled.resolved_at, str(settled.resolved_by), "resolved a comment"))
    yield from sorted(found, key=lambda one: one.at, reverse=True)


def _approved(previous: Any) -> bool:
    """Whether the reader approved the round before: they may do so again with one click."""
    return previous is not None and bool(previous.approved_by_me)


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
