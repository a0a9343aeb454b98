"""Whether enough people have decided: by number, and by share of who could when the gate opened."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.runs.quorum import asked, counting, frozen, needed, satisfied, worn

PERSONAS = ("BA", "DS", "MLR")
people = st.integers(1, 12)


@dataclass(frozen=True)
class Vote:
    """An approval."""

    personas: Sequence[str]
    principals: Collection[int]


votes = st.builds(
    Vote,
    st.lists(st.sampled_from(PERSONAS), min_size=1, unique=True),
    st.frozensets(people, min_size=1, max_size=2),
)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """A policy as a gate keeps it, each persona in one rule."""
    rules = []
    for persona in draw(st.lists(st.sampled_from(PERSONAS), unique=True, max_size=3)):
        rule: dict[str, Any] = {"persona": persona, "min": draw(st.integers(1, 3))}
        if draw(st.booleans()):
            rule["percent"] = draw(st.integers(1, 100))
        rules.append(frozen(rule, draw(st.frozensets(people))))
    return {"rules": rules, "allow_shared": draw(st.booleans())}


@pytest.mark.parametrize(
    ("percent", "base", "number"),
    [(50, 5, 3), (50, 4, 2), (51, 4, 3), (100, 7, 7), (1, 1, 1), (1, 100, 1), (1, 101, 2),
     (50, 0, 1), (33, 3, 1), (34, 3, 2), (67, 3, 3), (66, 3, 2), (7, 100, 7),
     (29, 100, 29), (58, 100, 58)],
)  # fmt: skip
def test_a_share_is_rounded_up(percent: int, base: int, number: int) -> None:
    assert needed(percent, base) == number


@given(st.integers(1, 100), st.integers(0, 10_000), st.integers(1, 5))
def test_it_is_the_smallest_number_that_is_enough(percent: int, base: int, least: int) -> None:
    found = needed(percent, base, least=least)
    assert found == max(least, ceil(Fraction(percent * base, 100)))
    assert found <= max(least, base)


@given(st.integers(1, 99), st.integers(0, 1000))
def test_more_percent_and_more_people_never_ask_for_fewer(percent: int, base: int) -> None:
    assert needed(percent, base) <= needed(percent + 1, base)
    assert needed(percent, base) <= needed(percent, base + 1) <= needed(percent, base) + 1


@given(policies(), st.lists(votes, max_size=8), votes)
def test_another_approval_never_opens_what_was_enough(
    policy: dict[str, Any], given_so_far: list[Vote], one: Vote
) -> None:
    if satisfied(policy, worn(policy, given_so_far)):
        assert satisfied(policy, worn(policy, [*given_so_far, one]))


@given(policies(), st.lists(votes, max_size=6), st.randoms())
def test_the_order_of_approvals_does_not_matter(
    policy: dict[str, Any], given_so_far: list[Vote], dice: Any
) -> None:
    other = list(given_so_far)
    dice.shuffle(other)
    first = satisfied(policy, worn(policy, given_so_far))
    assert satisfied(policy, worn(policy, other)) == first


@given(st.integers(1, 100), st.sets(people, min_size=1))
def test_only_who_was_counted_counts(percent: int, base: set[int]) -> None:
    rule = frozen({"persona": "DS", "min": 1, "percent": percent}, base)
    policy = {"rules": [rule]}
    inside = [Vote(["DS"], {pk}) for pk in sorted(base)]
    outside = [Vote(["DS"], {pk + 100}) for pk in sorted(base)]
    assert not satisfied(policy, worn(policy, outside))
    assert satisfied(policy, worn(policy, inside[: rule["min"]]))
    assert not satisfied(policy, worn(policy, [*inside[: rule["min"] - 1], *outside]))


def test_a_deputy_counts_for_who_was_counted() -> None:
    policy = {"rules": [frozen({"persona": "DS", "min": 1, "percent": 100}, {1})]}
    assert counting(policy, ["DS"], {9, 1}) == ["DS"]
    assert counting(policy, ["DS", "BA"], {9}) == ["BA"]


def test_nobody_there_at_opening_asks_for_the_least_and_binds_nobody() -> None:
    rule = frozen({"persona": "DS", "min": 1, "percent": 80}, ())
    assert (rule["min"], rule["base"]) == (1, [])
    assert counting({"rules": [rule]}, ["DS"], {9}) == ["DS"]


@given(st.integers(1, 100), st.integers(1, 4), st.frozensets(people))
def test_what_a_gate_asks_for_can_be_met(percent: int, least: int, base: frozenset[int]) -> None:
    """By those it counts; where they are too few from the start, by whoever comes."""
    rule = frozen({"persona": "DS", "min": least, "percent": percent}, base)
    policy = {"rules": [rule]}
    approvals = [Vote(["DS"], {pk}) for pk in rule["base"] or range(100, 100 + least)]
    assert satisfied(policy, worn(policy, approvals))


def test_fewer_there_than_the_least_bind_nobody() -> None:
    rule = frozen({"persona": "DS", "min": 2, "percent": 50}, {1})
    assert (rule["min"], rule["base"]) == (2, [])
    assert counting({"rules": [rule]}, ["DS"], {9}) == ["DS"]
    assert frozen({"persona": "DS", "min": 2, "percent": 50}, {1, 2})["base"] == [1, 2]


def test_what_was_asked_is_known_of_a_frozen_rule() -> None:
    rule = {"persona": "DS", "min": 1, "percent": 60}
    kept = frozen(rule, {3, 1, 2, 5, 4})
    assert kept == {**rule, "min": 3, "at_least": 1, "base": [1, 2, 3, 4, 5]}
    assert asked(kept) == rule
    assert frozen(kept, {1, 2}) == frozen(rule, {1, 2})
    assert frozen({"persona": "DS", "min": 2}, {1}) == {"persona": "DS", "min": 2}
