"""W15 to W21: families, the parameters that were searched, and the log of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean, stdev

from pipelines.checks.contract import Facts, Json, mapping, names, number, rows, text
from pipelines.checks.reading import listed
from pipelines.checks.worries.looking import (
    BLOCKER,
    CLEAR,
    NOT_HERE,
    NOTE,
    WARN,
    Look,
    Looking,
    every,
    last,
    unseen,
)

LEAST_FAMILIES, LEAST_TRIALS = 3, 10
BORDER = 0.02  # of a range's width, as the search itself counts (own)
# Names of parameters, whatever the family, that answer a worry. What stands in no row answers none.
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "W16": ("learning_rate",),
    "W17": ("l2_regularization", "C", "alpha", "max_features", "min_rows"),
    "W18": ("max_iter", "max_depth", "n_estimators", "components", "max_terms"),
    "W19": ("max_leaf_nodes", "min_samples_leaf"),
    "W20": ("kernel", "activation"),
}
# What families have to set; a test holds it against the families themselves.
_TREES = ("learning_rate", "max_iter", "max_leaf_nodes", "min_samples_leaf", "l2_regularization")
_TERMS = ("min_rows", "max_terms")
OF_FAMILY: Mapping[str, tuple[str, ...]] = {
    "dummy": (),
    "keywords": (),
    "linear": ("C", "alpha"),
    "boosting": (*_TREES, "max_features"),
    "text_linear": ("C", *_TERMS),
    "text_svc": ("C", *_TERMS),
    "text_boosting": ("components", *_TREES, *_TERMS),
}
NONE: Mapping[str, str] = {
    "W16": "it is not learned in steps",
    "W17": "nothing in it holds it back",
    "W18": "it has neither trees nor layers nor a vocabulary to size",
    "W19": "it has neither leaves nor hidden nodes",
    "W20": "it has no activation or kernel to choose",
}


def families(facts: Facts) -> Look:
    """W15: three families or more, on the same folds."""
    found = last(facts, "families", "candidates")
    if found is None:
        return unseen("no families were compared yet")
    tried = list(dict.fromkeys(names(found, "families")))
    digests = {text(said, "folds_digest") for _, said in every(facts, "folds_digest", "family")}
    rows_of = [_family(row) for row in rows(found, "candidates")]
    if len(tried) < LEAST_FAMILIES or len(digests) > 1:
        why = f"{len(digests)} different splits into folds" if len(digests) > 1 else "few to choose"
        return Look(WARN, f"{len(tried)} families ({listed(tried)}): {why}", tuple(rows_of),
                    "Train a plain rule, a linear model and boosting on the same folds",
                    float(len(tried)), float(LEAST_FAMILIES), ">=", "families")  # fmt: skip
    return Look(CLEAR, f"{len(tried)} families on the same folds: {listed(tried, 8)}",
                tuple(rows_of), "", float(len(tried)), float(LEAST_FAMILIES), ">=",
                "families")  # fmt: skip


def _family(row: Mapping[str, Json]) -> dict[str, Json]:
    mean, behind = number(row, "mean"), number(mapping(row, "behind_best"), "value")
    told = f"{text(row, 'family')}: {mean:.4f}" if mean is not None else text(row, "family")
    if behind:
        told += f", {behind:.4f} behind the best"
    return {"columns": [], "severity": NOTE, "message": told}


def tuned(worry: str) -> Looking:
    """A parameter of the chosen family was searched, and its range was wide enough."""

    def look(facts: Facts) -> Look:
        search, family = _search_of(facts), _chosen(facts)
        if not family:
            return unseen("no family was chosen yet")
        own = [name for name in OF_FAMILY.get(family, ()) if name in PARAMETERS[worry]]
        searched = names(search, "tunables_searched") if text(search, "family") == family else []
        own += [name for name in searched if name in PARAMETERS[worry] and name not in own]
        if not own:
            return Look(NOT_HERE, f"{family} was chosen: {NONE[worry]}")
        done = [name for name in own if name in searched]
        if search is None or not done:
            only = [name for name in own if name not in ("C", "alpha")] or ["its one parameter"]
            return Look(NOTE, f"{family} was chosen with {listed(only)} as it comes: not searched",
                        ({"columns": [], "severity": NOTE, "message": "not searched"},),
                        f"Search {family} too, on the same folds")  # fmt: skip
        return _borders(search, done)

    return look


def _search_of(facts: Facts) -> Mapping[str, Json] | None:
    """The search of the chosen family; else the last one there was."""
    family = _chosen(facts)
    found = every(facts, "tunables_searched", "border_hits")
    own = [said for _, said in found if text(said, "family") == family]
    return own[-1] if own else found[-1][1] if found else None


def _chosen(facts: Facts) -> str:
    chosen = last(facts, "chosen_family") or {}
    compared = last(facts, "families", "candidates", "family") or {}
    searched = last(facts, "tunables_searched", "border_hits") or {}
    return text(chosen, "chosen_family") or text(compared, "family") or text(searched, "family")


def _borders(search: Mapping[str, Json], done: list[str]) -> Look:
    hits = [name for name in names(search, "border_hits") if name in done]
    where = {text(row, "name"): row for row in rows(search, "borders")}
    settings = mapping(search, "settings")
    best = ", ".join(f"{name} {_short(settings.get(name))}" for name in done)
    findings: list[dict[str, Json]] = []
    for name in hits:
        row = where.get(name, {})
        inside = _inside(search, name, row)
        ends = f"{_short(row.get('from'))} to {_short(row.get('to'))}"
        findings.append({
            "columns": [], "parameter": name, "severity": NOTE if inside else WARN,
            "message": f"{name} {_short(settings.get(name))} lies at the end of {ends}"
            + (", and a value inside is as good" if inside else ""),
        })  # fmt: skip
    if not findings:
        return Look(CLEAR, f"searched: {best}", value=0.0, threshold=0.0, comparison="<=",
                    unit="at the border")  # fmt: skip
    level = WARN if any(row["severity"] == WARN for row in findings) else NOTE
    return Look(level, "; ".join(text(row, "message") for row in findings), tuple(findings),
                f"Widen the range of {listed(hits)} and search again" if level == WARN else "",
                float(len(hits)), 0.0, "<=", "at the border")  # fmt: skip


def _inside(search: Mapping[str, Json], name: str, border: Mapping[str, Json]) -> bool:
    """Whether a trial with a value away from that end is within one SE of the best, paired by fold.

    Without scores by fold, or on other rows, nothing is known of it: then the border counts.
    """
    trials = [row for row in rows(search, "trials") if row.get("state") == "complete"]
    best = next((row for row in trials if row.get("trial") == search.get("best_trial")), None)
    low, high = number(border, "from"), number(border, "to")
    if best is None or low is None or high is None:
        return False
    for row in trials:
        value, gaps = number(mapping(row, "settings"), name), _gaps(best, row)
        if value is None or len(gaps) < 2 or _at_end(value, low, high, text(border, "end")):
            continue
        error = stdev(gaps) / math.sqrt(len(gaps))
        if abs(fmean(gaps)) <= error:
            return True
    return False


def _gaps(best: Mapping[str, Json], other: Mapping[str, Json]) -> list[float]:
    if best.get("rows") != other.get("rows"):
        return []
    first, second = best.get("folds"), other.get("folds")
    if not isinstance(first, list) or not isinstance(second, list) or len(first) != len(second):
        return []
    return [float(str(a)) - float(str(b)) for a, b in zip(first, second, strict=True)]


def _at_end(value: float, low: float, high: float, end: str) -> bool:
    """Within BORDER of the range's end; of ranges over decades, on the logarithm."""
    if low > 0 and high / low >= 10:
        value, low, high = math.log(max(value, 1e-300)), math.log(low), math.log(high)
    place = (value - low) / (high - low) if high > low else 0.5
    return place < BORDER if end == "low" else place > 1 - BORDER


def _short(value: Json) -> str:
    number_like = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.4g}" if number_like else str(value)


def logged(facts: Facts) -> Look:
    """W21: how many combinations were tried, of how many, within which budget."""
    found = last(facts, "tried", "space_size")
    tried, space = number(found, "tried"), number(found, "space_size")
    if found is None or tried is None or space is None:
        return _unlogged(facts)
    few = tried < LEAST_TRIALS
    told = f"{tried:,.0f} of {space:,.0f} combinations tried by {text(found, 'method')}"
    seconds, stopped = number(found, "budget"), text(found, "stopped_by")
    told += f", within {seconds:,.0f} s" if seconds else ""
    told += ", stopped by its budget" if stopped == "budget" else ""
    finding: dict[str, Json] = {"columns": [], "severity": WARN, "message": told}
    return Look(WARN if few else CLEAR, told, (finding,) * few,
                "Give the search ten trials or more" * few,
                tried, float(LEAST_TRIALS), ">=", "trials")  # fmt: skip


def _unlogged(facts: Facts) -> Look:
    compared = last(facts, "families", "candidates")
    if compared is None:
        return unseen("nothing was searched yet")
    tried, families_of = number(compared, "tried"), names(compared, "families")
    if tried is not None:  # numbers of groups, each with its score
        return Look(CLEAR, f"{tried:,.0f} groupings tried and kept, over {listed(families_of)}",
                    value=tried, threshold=1.0, comparison=">=", unit="groupings")  # fmt: skip
    if "chosen_family" not in compared:  # detectors of anomalies: nothing true to search by
        return Look(NOTE, f"{listed(families_of)} as they come: there was no search",
                    ({"columns": [], "severity": NOTE, "message": "nothing was searched"},),
                    "Vary them by hand, and see what the reviewers confirm")  # fmt: skip
    return Look(BLOCKER, "a family was chosen, and there is no log of a search",
                ({"columns": [], "severity": BLOCKER, "message": "no log of a search"},),
                "Add a search to the tune stage: its log is the evidence",
                0.0, float(LEAST_TRIALS), ">=", "trials")  # fmt: skip


LOOKS: Mapping[str, Looking] = {
    "W15": families,
    **{worry: tuned(worry) for worry in PARAMETERS},
    "W21": logged,
}
