"""Checks of segments: more than one, stable, more than chance, large enough, delivered whole."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    insufficient,
    judge,
    limit,
    mapping,
    names,
    number,
    passed,
    rows,
    shown,
    step_facts,
    text,
)
from pipelines.checks.reading import bounds, listed

SELECT, JUDGE = "tune.select", "evaluate.judge"
ASSIGN, PACK, SHARES = "operationalise.assign", "operationalise.pack", "monitor.shares"
WANTED = ("kmeans", "mixture", "density")


def clusterings_compared(facts: Facts, params: Params) -> CheckResult:
    """KMeans, a mixture and HDBSCAN were held against each other (W15)."""
    found = step_facts(facts, params, SELECT)
    if found is None or "families" not in found:
        return insufficient("no segment models were compared")
    seen = names(found, "families")
    absent = [name for name in names(params, "families") or WANTED if name not in seen]
    return CheckResult(
        "fail" if absent else "pass",
        f"absent: {listed(list(absent))}"
        if absent
        else f"{len(seen)} families, {number(found, 'tried') or 0:.0f} partitions tried",
        value=float(len(seen)),
        threshold=float(len(seen) + len(absent)),
        comparison=">=",
        unit="families",
        details=shown(rows(found, "candidates")),
    )


def clusters_found(facts: Facts, params: Params) -> CheckResult:
    """There is more than one group, and no more than can be acted on (own)."""
    found = step_facts(facts, params, JUDGE)
    groups = number(found, "groups")
    if groups is None:
        return insufficient("the segments have not been judged yet")
    fewest, most = limit(params, "fewest", 2.0), limit(params, "most", 50.0)
    few = groups < max(fewest, 2.0)
    return CheckResult(
        "fail" if few or groups > most else "pass",
        f"{groups:.0f} groups" + (" only: the rows are one crowd" if groups < 2 else ""),
        value=groups,
        threshold=max(fewest, 2.0) if few or groups <= most else most,
        comparison=">=" if few or groups <= most else "<=",
        unit="groups",
        advice="Compare by other columns, or do without segments" if few else "",
    )


def clusters_stable(facts: Facts, params: Params) -> CheckResult:
    """Mean adjusted Rand over bootstrap resamples: 0.8 is stable, below 0.6 is rejected (conv)."""
    found = step_facts(facts, params, JUDGE)
    if found is None or "stability" not in found:
        return insufficient("the segments have not been judged yet")
    value, low, high = bounds(found, "stability")
    resamples = number(mapping(found, "stability"), "resamples") or 0
    if value is None:
        return CheckResult(
            "fail",
            "one group only: there is nothing to be stable",
            threshold_class="conv",
            advice="Compare by other columns, or do without segments",
        )
    threshold = limit(params, "threshold", 0.6)
    verdict = judge(value, ">=", threshold)
    word = "stable" if value >= 0.8 else "fairly stable" if value >= 0.6 else "not stable"
    return CheckResult(
        verdict,
        f"{word}: {value:.2f} of {resamples:.0f} resamples agree with the segments",
        value=value,
        low=low,
        high=high,
        threshold=threshold,
        comparison=">=",
        unit="adjusted Rand",
        threshold_class="conv",
        advice="" if verdict == "pass" else "Fewer groups, fewer columns, or more rows",
    )


def clusters_beat_chance(facts: Facts, params: Params) -> CheckResult:
    """Better separated than shuffled tables, and than one crowd of the same shape (conv).

    p <= 0.05 for each, by simulation: the larger p decides.
    """
    found = step_facts(facts, params, JUDGE)
    versus = mapping(found, "chance")
    p, own = number(versus, "p_value"), number(versus, "silhouette")
    if p is None or own is None:
        return insufficient("the segments have not been held against shuffled tables")
    threshold = limit(params, "threshold", 0.05)
    crowd = number(versus, "one_crowd_most") or 0.0
    most, dealt = number(versus, "shuffled_most") or 0.0, number(versus, "random_labels") or 0.0
    return CheckResult(
        judge(p, "<=", threshold),
        f"silhouette {own:.2f}; at most {most:.2f} in {number(versus, 'shuffles') or 0:.0f}"
        f" shuffled tables, {crowd:.2f} in as many that are one crowd of the same shape,"
        f" {dealt:.2f} for random labels",
        value=p,
        threshold=threshold,
        comparison="<=",
        unit="p",
        threshold_class="conv",
        advice="" if p <= threshold else "The columns have nothing in common that makes groups",
    )


def smallest_cluster(facts: Facts, params: Params) -> CheckResult:
    """The smallest group is large enough to act on: 2 % of the rows (own)."""
    found = step_facts(facts, params, JUDGE)
    share = number(found, "smallest_share")
    if share is None:
        return insufficient("the segments have not been judged yet")
    threshold = limit(params, "threshold", 0.02)
    segments = rows(found, "segments")
    keys = ("name", "rows", "share", "sentence")
    return CheckResult(
        judge(share, ">=", threshold),
        f"the smallest group has {number(found, 'smallest') or 0:,.0f} rows, {share:.1%}",
        value=share,
        threshold=threshold,
        comparison=">=",
        details=shown({key: row.get(key) for key in keys} for row in segments),
        advice="" if share >= threshold else "Fewer groups, or a lower bar in the brief",
    )


def membership_clear(facts: Facts, params: Params) -> CheckResult:
    """At most a fifth of the rows lie between segments (own)."""
    found = step_facts(facts, params, JUDGE)
    share = number(found, "unsure_share")
    if share is None:
        return insufficient("the segments have not been judged yet")
    threshold = limit(params, "threshold", 0.2)
    below = number(found, "unsure_below") or 0.0
    return CheckResult(
        judge(share, "<=", threshold),
        f"{share:.1%} of the rows belong to their segment with less than {below:.0%}",
        value=share,
        threshold=threshold,
        comparison="<=",
    )


def clusters_hold_on_other_rows(facts: Facts, params: Params) -> CheckResult:
    """The shares of the segments among unseen rows have not moved (own, section 6.4)."""
    held = mapping(step_facts(facts, params, JUDGE), "holdout")
    return _moved(held, params) if held else insufficient("there are no unseen rows")


def _moved(source: Mapping[str, Json], params: Params) -> CheckResult:
    value, level = number(source, "psi"), text(source, "level")
    if value is None:
        return insufficient(
            f"fewer than {number(source, 'minimum_rows') or 0:.0f} rows: no PSI is measured"
        )
    least = limit(params, "threshold", 0.1)
    threshold = max(least, number(source, "psi_limit") or 0.0)
    return CheckResult(
        judge(value, "<=", threshold),
        f"shares of the segments: {level}, PSI {value:.3f}",
        value=value,
        threshold=threshold,
        comparison="<=",
        unit="PSI",
        threshold_class="meas",
        details=shown(rows(source, "shares")),
    )


def segments_named(facts: Facts, params: Params) -> CheckResult:
    """A person has given every segment a name and an action (own)."""
    found = step_facts(facts, params, JUDGE)
    data = facts.get(f"item.{text(params, 'item', 'evaluate.names')}")
    if found is None or data is None:
        return insufficient("the segments are not named yet")
    given = mapping(data, "names")
    wanted = [name for name in names(found, "segment_names") if name != "outside"]
    missing = [name for name in wanted if not str(given.get(name) or "").strip()]
    return CheckResult(
        "fail" if missing else "pass",
        f"without a name: {', '.join(missing)}" if missing else "every segment has a name",
        value=float(len(wanted) - len(missing)),
        threshold=float(len(wanted)),
        comparison=">=",
        unit="segments",
        details=tuple({"segment": name, "called": given.get(name)} for name in wanted),
    )


def assignments_hold(facts: Facts, params: Params) -> CheckResult:
    """Every row once, whatever its order or company, and the same after retraining (own)."""
    found = step_facts(facts, params, ASSIGN)
    order, alone = number(found, "order_changes"), number(found, "alone_changes")
    if found is None or order is None or alone is None:
        return insufficient("no rows have been assigned yet")
    rand = number(found, "retrained_rand")
    repeated = number(found, "repeated_keys") or 0.0
    least = limit(params, "threshold", 1.0)
    problems = [
        told
        for wrong, told in (
            (order > 0, f"{order:.0f} rows change with the order"),
            (alone > 0, f"{alone:.0f} rows change when they are alone"),
            (repeated > 0, f"{repeated:.0f} keys are repeated"),
            (rand is not None and rand < least, f"retraining agrees by {rand or 0:.3f} only"),
        )
        if wrong
    ]
    total = f"{number(found, 'rows') or 0:,.0f} rows"
    return CheckResult(
        "fail" if problems else "pass",
        "; ".join(problems) or f"{total}, each once, in any order, and again after retraining",
        value=float(len(problems)),
        threshold=0.0,
        comparison="<=",
        unit="problems",
    )


def segments_packed(facts: Facts, params: Params) -> CheckResult:
    """The package holds model, assignments, profile and card, in an environment of the lock."""
    found = step_facts(facts, params, PACK)
    if found is None or "entries" not in found:
        return insufficient("nothing is packed yet")
    wanted = ("model.skops", "assignments.parquet", "profile.json", "card.md", "manifest.json")
    absent = [name for name in wanted if name not in names(found, "entries")]
    other = rows(found, "deviations")
    return CheckResult(
        "fail" if absent or other else "pass",
        f"lacks {', '.join(absent)}"
        if absent
        else f"{len(other)} packages deviate from the lock"
        if other
        else f"complete, {text(found, 'digest')[:12]}",
        value=float(len(absent) + len(other)),
        threshold=0.0,
        comparison="<=",
        unit="problems",
        details=shown(other),
    )


def segments_stated(facts: Facts, params: Params) -> CheckResult:
    """Every field of the card is filled in (Mitchell et al. 2019)."""
    found = step_facts(facts, params, PACK)
    if found is None or "missing" not in found:
        return insufficient("there is no card yet")
    # a segmentation without unseen rows has no figures of them
    absent = [name for name in names(found, "missing") if name != "other_rows"]
    if not absent:
        return passed("every field of the card is filled in")
    return CheckResult(
        "fail",
        f"the card lacks {', '.join(absent)}",
        value=float(len(absent)),
        threshold=0.0,
        comparison="<=",
        unit="fields",
    )


def shares_hold(facts: Facts, params: Params) -> CheckResult:
    """The shares of the segments among later rows have not moved (section 6.4)."""
    found = step_facts(facts, params, SHARES)
    return insufficient("no later rows were measured") if found is None else _moved(found, params)
