"""Returns by reason, and for a reason that recurs the check that would have caught it. (own)"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final, Literal

from pipelines.insights.flow.records import RERUN, ReturnRecord
from pipelines.insights.flow.spread import Spread, spread

RECURS: Final = 3  # own: so many returns for one reason draft a check
Where = Literal["gate", "contract", "checklist", "form"]


@dataclass(frozen=True, slots=True)
class CheckDraft:
    """A suggestion for the blueprint: which check, where, at the earliest stage that could know.

    `check` is a name of the catalogue of checks, or empty where a person must answer; `asked`:
    the blueprint has it there already, so it should block, or ask for more.
    """

    code: str
    check: str
    stage: str
    where: Where
    text: str
    asked: bool = False


@dataclass(frozen=True)
class ReasonReturns:
    """All returns for one reason: how many, between which stages, and how long rework took.

    `pairs`: (from, to, how many), the most frequent first; `records`: ids of the rounds that
    began with it, newest first; `draft`: from three returns on.
    """

    code: str
    n: int
    by_kind: Mapping[str, int]
    pairs: tuple[tuple[str, str, int], ...]
    rework: Spread
    draft: CheckDraft | None
    records: tuple[int, ...]


# Reason -> check, the stage that first knows enough for it, where it is asked, and why.
DRAFTS: Final[Mapping[str, tuple[str, str, Where, str]]] = {
    "data_problem": (
        "schema_holds",
        "source",
        "contract",
        "Test schema, ranges and row count before the data are handed over.",
    ),
    "leakage": (
        "leakage_clean",
        "explore",
        "gate",
        "Look for columns that know the answer as soon as the data are explored.",
    ),
    "not_available": (
        "features_available",
        "features",
        "gate",
        "Compare each feature with what is declared as available at prediction time.",
    ),
    "quality": (
        "beats_baseline",
        "tune",
        "gate",
        "Stop a model that is not better than the baseline before it is evaluated.",
    ),
    "fairness": (
        "selection_rates_equal",
        "evaluate",
        "gate",
        "Compare the rates of the groups before people are asked.",
    ),
    "value": (
        "value_positive",
        "frame",
        "gate",
        "Ask for costs, benefit and volume in the brief: is it worth it at all?",
    ),
    "incomplete": (
        "brief_complete",
        "frame",
        "gate",
        "Make the field that was missing a required one; a form that lacks it cannot be sent.",
    ),
    "unclear": (
        "",
        "",
        "checklist",
        "Add to the hand-off's checklist the question that could not be answered.",
    ),
    "not_understood": (
        "",
        "",
        "checklist",
        "Add an example and how to use it to the hand-off's checklist.",
    ),
    "no_walk_through": (
        "",
        "",
        "checklist",
        "Ask for a date of the walk-through before the offer can be sent.",
    ),
}


def returns_by_reason(
    returns: Sequence[ReturnRecord],
    *,
    positions: Mapping[str, int],
    present: Mapping[str, Set[str]] | None = None,
) -> tuple[ReasonReturns, ...]:
    """Return the reasons, the most frequent first. What people reran themselves is left out.

    `positions`: the blueprint's stages; `present`: the checks that each of them has already.
    """
    by_code: dict[str, list[ReturnRecord]] = {}
    for one in returns:
        if one.code != RERUN:
            by_code.setdefault(one.code, []).append(one)
    found = [_reason(code, seen, positions, present or {}) for code, seen in by_code.items()]
    return tuple(sorted(found, key=lambda one: (-one.n, one.code)))


def draft(
    code: str,
    returns: Sequence[ReturnRecord],
    *,
    positions: Mapping[str, int],
    present: Mapping[str, Set[str]],
) -> CheckDraft | None:
    """Return the check that would have caught this reason; None for what has no counterpart, and
    below three returns.
    """
    if len(returns) < RECURS or code not in DRAFTS:
        return None
    check, home, where, text = DRAFTS[code]
    target = _most([one.target for one in returns])
    stage = home if home in positions else target
    asked = bool(check) and check in present.get(stage, frozenset())
    if asked:
        text = f"{check} is asked there already: let it block, or ask for more. {text}"
    return CheckDraft(code, check, stage, where, text, asked)


def _reason(
    code: str,
    seen: Sequence[ReturnRecord],
    positions: Mapping[str, int],
    present: Mapping[str, Set[str]],
) -> ReasonReturns:
    pairs: dict[tuple[str, str], int] = {}
    kinds: dict[str, int] = {}
    for one in seen:
        pair = (one.source, one.target)
        pairs[pair] = pairs.get(pair, 0) + 1
        kinds[one.kind] = kinds.get(one.kind, 0) + 1
    newest = sorted(seen, key=lambda one: (one.at, one.id), reverse=True)
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return ReasonReturns(
        code=code,
        n=len(seen),
        by_kind=kinds,
        pairs=tuple((source, target, count) for (source, target), count in ordered),
        rework=spread(one.rework for one in seen),
        draft=draft(code, seen, positions=positions, present=present),
        records=tuple(one.id for one in newest),
    )


def _most(names: Sequence[str]) -> str:
    return max(sorted(set(names)), key=names.count) if names else ""
