"""The places of a gate: whose decision fills each, who may still fill it, and who is away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from personas.models import User
from pipelines.lifecycles import DecisionState
from pipelines.runs import blind
from pipelines.runs.models import Decision, Gate
from pipelines.runs.policies import Hat, not_deciding
from pipelines.runs.quorum import counting
from pipelines.usecases.models import Delegation, Seat
from pipelines.usecases.policies import under_way

LATER = "was not among those counted when the gate opened"


@dataclass(frozen=True)
class Place:
    """One approval the gate asks for: filled by a decision, or open to these people."""

    persona: str
    decision: Decision | None
    people: tuple[str, ...]
    barred: tuple[tuple[str, str], ...]


Seated = Mapping[User, Sequence[str]]


def seated_on(gate: Gate) -> Seated:
    """Everybody with an open seat on the use case, with their personas."""
    seats = Seat.objects.filter(use_case=gate.run.use_case_id, until=None, user__is_active=True)
    seated: dict[User, list[str]] = {}
    for seat in seats.select_related("user").order_by("persona__lane", "user__name"):
        seated.setdefault(seat.user, []).append(seat.persona_id)
    return seated


def _absences(seated: Seated) -> dict[int, list[Delegation]]:
    """Who of them is away now, and who acts for them."""
    rows = under_way().filter(giver__in=[user.pk for user in seated]).select_related("deputy")
    away: dict[int, list[Delegation]] = {}
    for row in rows.order_by("until"):
        away.setdefault(row.giver_id, []).append(row)
    return away


def places_of(user: User, gate: Gate, seated: Seated) -> tuple[Place, ...]:
    """Each approval asked for, with whose decision fills it or who may still give one."""
    away = _absences(seated)
    asked = [rule["persona"] for rule in gate.policy["rules"]]
    shown = blind.seen_by(user, gate, gate.decisions.all())
    decided = [d for d in shown if d.state == DecisionState.IN_FORCE]
    taken: set[int] = set()
    places = []
    for rule in gate.policy["rules"]:
        for _ in range(rule["min"]):
            persona = rule["persona"]
            fitting = (
                d
                for d in decided
                if persona in counting(gate.policy, d.personas, d.principals)
                and (d.pk not in taken or len(asked) == 1)
            )
            own = next(fitting, None)
            if own is not None:
                taken.add(own.pk)
            places.append(_place(gate, persona, own, seated=seated, away=away))
    return tuple(places)


def _place(
    gate: Gate,
    persona: str,
    decision: Decision | None,
    *,
    seated: Seated,
    away: Mapping[int, Sequence[Delegation]],
) -> Place:
    people, barred = [], []
    for user, personas in seated.items():
        if persona not in personas:
            continue
        refusal = not_deciding(Hat(user, personas), gate)
        if refusal is None and persona not in counting(gate.policy, personas, {user.pk}):
            barred.append((str(user), LATER))
        elif refusal is None:
            people.append(_named(gate, user, persona, away.get(user.pk, ())))
        elif refusal is not None:
            barred.append((str(user), refusal.message))
    return Place(persona, decision, tuple(people), tuple(barred))


def _named(gate: Gate, user: User, persona: str, away: Sequence[Delegation]) -> str:
    """A person's name, with who stands in for them, or that they are away."""
    for row in away:
        here = row.use_case_id in (None, gate.run.use_case_id)
        if row.deputy_id is not None and row.persona_id == persona and here:
            return f"{user} (until {row.until:%d %b} {row.deputy} for them)"
    absent = next((row for row in away if row.deputy_id is None), None)
    return f"{user} (away until {absent.until:%d %b})" if absent else str(user)
