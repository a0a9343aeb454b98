"""Whether enough distinct people have decided; pure.

A rule asks for at least `min` people of a persona. One with a `percent` also for that share of
the people in its `base`: those of the persona who could decide when the gate opened, by id. The
base and so the number are fixed then: who comes or goes later changes neither. Where they are
fewer than `min`, no share of them is enough: the base stays empty, and whoever comes later counts.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol


class Given(Protocol):
    """What is asked of a decision: the personas it was given as, and whose it is."""

    @property
    def personas(self) -> Sequence[str]: ...

    @property
    def principals(self) -> Collection[int]: ...


def needed(percent: int, base: int, *, least: int = 1) -> int:
    """Return how many of `base` people it takes: rounded up, and never fewer than `least`.

    In whole numbers, for a third of three must not become two by a binary fraction.
    """
    return max(least, -(-percent * base // 100))


def frozen(rule: Mapping[str, Any], base: Collection[int]) -> dict[str, Any]:
    """Return the rule as a gate keeps it: a percentage with its base and the number it is.

    The base is empty where it has fewer people than the rule asks for at least.
    """
    if rule.get("percent") is None:
        return dict(rule)
    plain = asked(rule)
    if len(base) < plain["min"]:
        base = ()
    least = needed(plain["percent"], len(base), least=plain["min"])
    return {**plain, "min": least, "at_least": plain["min"], "base": sorted(base)}


def asked(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rule as the blueprint has it, without what was fixed when a gate opened."""
    plain = {name: value for name, value in rule.items() if name not in ("base", "at_least")}
    return {**plain, "min": rule.get("at_least", rule["min"])}


def counting(
    policy: Mapping[str, Any], personas: Sequence[str], principals: Collection[int]
) -> list[str]:
    """Return as which personas somebody counts: where a rule has a base, only who is in it.

    An empty base binds nobody, for else nobody could ever close the gate.
    """
    bases = {rule["persona"]: rule["base"] for rule in policy["rules"] if rule.get("base")}
    return [
        persona
        for persona in personas
        if persona not in bases or not set(bases[persona]).isdisjoint(principals)
    ]


def worn(policy: Mapping[str, Any], decisions: Iterable[Given]) -> list[list[str]]:
    """Return as which personas each decision counts, for `satisfied`."""
    return [counting(policy, one.personas, one.principals) for one in decisions]


def satisfied(policy: Mapping[str, Any], approvals: Sequence[Sequence[str]]) -> bool:
    """Whether approvals by distinct people meet every rule.

    `approvals` holds the personas of each approver. One person fills one place, unless the policy
    allows sharing; places are matched to people by augmenting paths, so no order can lose.
    """
    places = [rule["persona"] for rule in policy["rules"] for _ in range(rule["min"])]
    if policy.get("allow_shared"):
        return all(
            sum(rule["persona"] in personas for personas in approvals) >= rule["min"]
            for rule in policy["rules"]
        )
    taken: dict[int, int] = {}

    def place(seat: int, seen: set[int]) -> bool:
        for person, personas in enumerate(approvals):
            if places[seat] not in personas or person in seen:
                continue
            seen.add(person)
            if person not in taken or place(taken[person], seen):
                taken[person] = seat
                return True
        return False

    return all(place(seat, set()) for seat in range(len(places)))
