"""The 26 worries, each with what looked for it and what it found. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipelines.readiness.catalogue import WORRIES, WorryDef
from pipelines.readiness.evidence import Evidence, Judged

UNSEEN, CLEAR, NOTE, WARN, BLOCKER = "not looked at", "clear", "note", "warn", "blocker"
MAPPED: Final = {f"W{number}" for number in range(9, 15)}
# Parameters whose search answers a worry; any family's names.
TUNED: Final[Mapping[str, tuple[str, ...]]] = {
    "W16": ("learning_rate",),
    "W17": ("l2_regularization", "C", "min_samples_leaf"),
    "W18": ("max_iter", "max_depth", "n_estimators"),
    "W19": ("max_leaf_nodes", "min_samples_leaf"),
    "W20": ("max_features", "kernel", "activation"),
}
JUDGED: Final = {
    "W15": "three_families",
    "W21": "search_logged",
    "W23": "target_met",
    "W24": "features_beneficial",
}


@dataclass(frozen=True)
class WorryResult:
    """One worry: its level, and what was found."""

    worry: WorryDef
    level: str
    text: str


def worries(evidence: Evidence) -> tuple[WorryResult, ...]:
    """Return all 26, in order."""
    return tuple(WorryResult(worry, *_look(worry, evidence)) for worry in WORRIES)


def _look(worry: WorryDef, evidence: Evidence) -> tuple[str, str]:
    looked = evidence.fact("worries", "findings")
    if worry.id in (looked.get("worries") or {}):
        texts = [f["message"] for f in looked["findings"] if f.get("worry") == worry.id]
        return str(looked["worries"][worry.id]), "; ".join(texts[:3])
    if worry.id in JUDGED:
        return _judged(evidence.checks.get(JUDGED[worry.id]))
    if worry.id in MAPPED:
        return _mapped(worry, evidence)
    if worry.id in TUNED:
        return _tuned(worry, evidence)
    look = OTHERS.get(worry.id)
    return look(evidence) if look else (UNSEEN, "")


def _judged(check: Judged | None) -> tuple[str, str]:
    if check is None:
        return UNSEEN, ""
    return (CLEAR if check.verdict == "pass" else WARN), check.summary


def _mapped(worry: WorryDef, evidence: Evidence) -> tuple[str, str]:
    built = evidence.fact("columns_used", "unmapped")
    if not built:
        return UNSEEN, ""
    open_ones = [
        c for c in built["unmapped"] if isinstance(c, Mapping) and c.get("worry") == worry.id
    ]
    if open_ones:
        return WARN, ", ".join(str(column.get("column")) for column in open_ones)
    return CLEAR, f"all {built['columns_used']} columns have an explicit transformer"


def _tuned(worry: WorryDef, evidence: Evidence) -> tuple[str, str]:
    found = evidence.fact("tunables_searched", "border_hits")
    if not found:
        return UNSEEN, ""
    names = TUNED[worry.id]
    searched = [name for name in found["tunables_searched"] if name in names]
    on_border = [name for name in _names(found["border_hits"]) if name in names]
    if on_border:
        return WARN, f"the best value lies on the border: {', '.join(on_border)}"
    if searched:
        return CLEAR, f"searched: {', '.join(searched)}"
    return NOTE, "the chosen family has no such parameter, or it was not searched"


def _names(listed: Any) -> Iterator[str]:
    for entry in listed or ():
        yield str(entry.get("name")) if isinstance(entry, Mapping) else str(entry)


def _ensembling(evidence: Evidence) -> tuple[str, str]:
    chosen = evidence.fact("chosen_family", "rule")
    if not chosen:
        return UNSEEN, ""
    kept = "the simpler one was kept" if chosen.get("kept_simple") else "no simpler one is as good"
    return CLEAR, f"{chosen['chosen_family']}: {kept} (one standard error)"


def _by_prediction(evidence: Evidence) -> tuple[str, str]:
    count = evidence.fact("worst_errors", "importance").get("worst_errors")
    return (CLEAR, f"the {count} worst errors are explained") if count else (UNSEEN, "")


def _understood(evidence: Evidence) -> tuple[str, str]:
    said = evidence.said("understood")
    return (CLEAR, "stated by who stands by it") if said is True else (UNSEEN, "")


OTHERS: Final = {"W22": _ensembling, "W25": _by_prediction, "W26": _understood}
