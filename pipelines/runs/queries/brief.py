"""The decision brief in seven voices: the same evidence, said in what each persona can judge.

Everything is read from the gate's frozen facts. A voice that has nothing to say about this
evidence falls back to what everybody gets: the question, and the counts in whole rows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipelines.runs.queries.facts import Facts, names, number, rows, saying, stated

SETS: Final = "sets that hold the truth"
Unit = str  # "", "share", "money", "ms", "MiB", "rows", "h"


@dataclass(frozen=True)
class Figure:
    """One number with its interval; `unit` says how it is written."""

    label: str
    value: float | str
    low: float | None = None
    high: float | None = None
    unit: Unit = ""
    note: str = ""


@dataclass(frozen=True)
class Brief:
    """What a persona reads first: sentences, then figures."""

    persona: str
    lead: str
    sentences: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()


def brief(persona: str, facts: Facts) -> Brief:
    """Return the brief of a persona on frozen facts."""
    figures = tuple(VOICES.get(persona, _everybody)(facts))
    spoken = tuple(sentences(persona, facts))
    return Brief(persona, lead(persona), spoken, figures or tuple(_everybody(facts)))


def lead(persona: str) -> str:
    """Return what a persona's brief is about, in one line."""
    return {
        "BA": "What it is worth, and how often it errs",
        "DE": "Whether the data hold what was promised",
        "DS": "Whether the numbers mean what they seem to",
        "MLR": "How good it is, and on what it relies",
        "MLE": "Whether it can be built again and served",
        "SWE": "How it behaves at its interface",
        "OPS": "What it costs to run, and how to take it back",
    }.get(persona, "What was found")


def sentences(persona: str, facts: Facts) -> Iterator[str]:
    """Say the evidence in the sentences that a persona can judge."""
    question = stated(facts, "question")
    if question:
        yield f"Asked: {question}"
    judged = _judged(facts)
    if judged and persona not in ("DE", "SWE"):
        yield from _in_whole_rows(judged, str(question or ""))
    after = names(saying(facts, "unavailable"), "unavailable")
    used = names(saying(facts, "known_after"), "known_after")
    if used:
        yield f"It uses {', '.join(used)}, which nobody knows when a prediction is made."
    elif persona in ("DE", "DS") and after:
        yield f"Declared as known only afterwards: {', '.join(after)}."


def _in_whole_rows(judged: Mapping[str, Any], question: str) -> Iterator[str]:
    """ "Of 100 flagged, 35 are late": a share is easier to weigh in rows than in per cent."""
    counts = judged.get("confusion")
    if not isinstance(counts, Mapping):  # the answer is a number
        yield from names(judged, "sentences")
        return
    word = str(judged.get("target") or "positive").replace("_", " ")
    flagged, precision, recall = (
        number(counts, name) for name in ("flagged_share", "precision", "recall")
    )
    if flagged is not None:
        yield f"Of 100 cases, {flagged * 100:.0f} are flagged."
    if precision is not None:
        yield f"Of 100 flagged, {precision * 100:.0f} are {word}."
    if recall is not None:
        caught = round(recall * 100)
        yield f"Of 100 that are {word}, {caught} are flagged and {100 - caught} are missed."


def _judged(facts: Facts) -> Mapping[str, Any]:
    """What the evaluation found: of decisions, or of a number."""
    decided = saying(facts, "metrics", "confusion_matrix") or saying(facts, "confusion")
    return decided or saying(facts, "bias_bins")


def _metric(judged: Mapping[str, Any], name: str, label: str, unit: Unit = "") -> Iterator[Figure]:
    found = (judged.get("metrics") or {}).get(name)
    value = number(found, "value") if isinstance(found, Mapping) else None
    if value is not None:
        yield Figure(label, value, number(found, "low"), number(found, "high"), unit)


def _covered(judged: Mapping[str, Any]) -> Iterator[Figure]:
    """The interval around a number: how many outcomes it held of those it promised."""
    promised = number(judged, "prediction_interval", "level")
    if promised is not None:
        note = f"{promised:.0%} promised"
        yield from _plain(
            judged,
            "outcomes inside the interval",
            "prediction_interval",
            "coverage",
            unit="share",
            note=note,
        )


def _money(source: Mapping[str, Any], name: str, label: str) -> Iterator[Figure]:
    found = source.get(name)
    value = number(found, "value") if isinstance(found, Mapping) else None
    if value is not None:
        currency = str(source.get("currency") or "")
        low, high = number(found, "low"), number(found, "high")
        yield Figure(label, value, low, high, "money", currency)


def _plain(
    source: Mapping[str, Any], label: str, *path: str, unit: Unit = "", note: str = ""
) -> Iterator[Figure]:
    value = number(source, *path)
    if value is not None:
        yield Figure(label, value, unit=unit, note=note)


def _analyst(facts: Facts) -> Iterator[Figure]:
    judged = _judged(facts)
    worth = judged.get("value") or {}
    yield from _money(worth, "per_1000", "worth per 1,000 cases")
    yield from _money(
        worth, "per_1000_over_best_without_model", "more than the best rule without a model"
    )
    volume, per_thousand = stated(facts, "volume"), number(worth, "per_1000", "value")
    if isinstance(volume, int | float) and per_thousand is not None:
        currency = str(worth.get("currency") or "")
        note = f"{currency}, at {volume:,.0f} cases a day"
        yield Figure("worth per day", per_thousand * volume / 1000, unit="money", note=note)
    if not judged:
        framed = saying(facts, "value_per_day")
        currency = str(framed.get("currency") or "")
        yield from _plain(framed, "value per day", "value_per_day", unit="money", note=currency)
        yield from _plain(framed, "break-even score", "break_even_score")
        if framed.get("tier") is not None:
            yield Figure("risk tier", str(framed["tier"]), note=str(framed.get("tier_reason", "")))
    yield from _plain(saying(facts, "worse", "overall"), "groups it is worse for", "worse")
    for name in ("kpi_now", "kpi_target"):
        found = stated(facts, name)
        if isinstance(found, int | float):
            kpi = str(stated(facts, "kpi_name") or "")
            yield Figure(name.replace("kpi_", "KPI "), float(found), note=kpi)


def _data_engineer(facts: Facts) -> Iterator[Figure]:
    read, held = saying(facts, "column_names"), saying(facts, "violations", "blocking")
    yield from _plain(read, "rows", "rows", unit="rows")
    yield from _plain(read, "columns", "columns")
    yield from _plain(held, "rules broken that block", "blocking")
    yield from _plain(held, "rows that break a warning rule", "rows_warning_share", unit="share")
    built = saying(facts, "columns_used")
    yield from _plain(built, "columns used as features", "columns_used")
    yield from _plain(built, "feature tests failed", "tests_failed", note=_of(built, "tests_run"))
    sealed = saying(facts, "undeclared")
    if sealed:
        undeclared = names(sealed, "undeclared")
        yield Figure("columns without a declaration", float(len(undeclared)))


def _of(source: Mapping[str, Any], key: str) -> str:
    value = number(source, key)
    return f"of {value:,.0f}" if value is not None else ""


def _scientist(facts: Facts) -> Iterator[Figure]:
    judged = _judged(facts)
    yield from _metric(judged, "roc_auc", "ROC AUC")
    yield from _metric(judged, "pr_auc", "PR AUC")
    yield from _plain(judged, "calibration error", "calibration", "error", note="ECE, 10 bins")
    yield from _metric(judged, "mae", "mean absolute error")
    yield from _metric(judged, "bias", "mean error")
    yield from _covered(judged)
    slices = saying(facts, "worse", "overall")
    yield from _plain(slices, "slices worse than all rows", "worse", note=_of(slices, "looked_at"))
    yield from _challenged(facts)
    split = saying(facts, "parts", "rule")
    yield from _plain(split, "rows to learn from", "parts", "train", "rows", unit="rows")
    yield from _plain(split, "rows to decide on", "parts", "holdout", "rows", unit="rows")
    leak = saying(facts, "highest_open")
    open_column = (leak.get("highest_open") or {}).get("column", "")
    yield from _plain(
        leak, "highest single-column AUC", "highest_open", "score", note=str(open_column)
    )
    worried = saying(facts, "worries", "findings")
    yield from _plain(worried, "worries that warn", "warnings")
    yield from _drift(facts)


def _challenged(facts: Facts) -> Iterator[Figure]:
    """Coverage of sets, noise, age: what the evaluation tried beyond scores."""
    sets = saying(facts, "coverage", "confidence")
    promised = number(sets, "confidence")
    if promised is not None:
        value, low, high = (number(sets, "coverage", end) for end in ("value", "low", "high"))
        if value is not None:
            note = f"{promised:.0%} promised"
            what = "outcomes inside later intervals" if "methods" in sets else SETS
            yield Figure(what, value, low, high, note=note)
        yield from _plain(sets, "rows with one answer", "answered", unit="share")
    life = saying(facts, "half_life_days", "oldest_days")
    noisy = [row for row in rows(saying(facts, "noise", "mae"), "noise") if row.get("size") == 0.05]
    for row in noisy:
        ends = (number(row, "worse", end) for end in ("value", "low", "high"))
        value, low, high = ends
        if value is not None:
            yield Figure("errors change under noise", value, low, high, note="5 % of a deviation")
    days, oldest = number(life, "half_life_days"), number(life, "oldest_days")
    if days is not None:
        bounds = number(life, "half_life", "low"), number(life, "half_life", "high")
        yield Figure("half-life, days", days, *bounds)
    elif oldest is not None:
        yield Figure("half-life", "no decay shown", note=f"within {oldest:.0f} days")


def _researcher(facts: Facts) -> Iterator[Figure]:
    judged = _judged(facts)
    for name, label in (
        ("roc_auc", "ROC AUC"),
        ("pr_auc", "PR AUC"),
        ("log_loss", "log loss"),
        ("brier", "Brier score"),
        ("mae", "mean absolute error"),
        ("rmse", "root mean squared error"),
        ("r2", "share of variance explained"),
        ("pinball", "pinball loss of the interval"),
    ):
        yield from _metric(judged, name, label)
    chosen = saying(facts, "chosen_family")
    if chosen:
        yield Figure("family", str(chosen["chosen_family"]))
    explained = saying(facts, "importance", "top_column")
    if explained:
        share = number(explained, "top_share") or 0.0
        yield Figure(
            "relies most on", str(explained["top_column"]), note=f"{share:.0%} of the gain"
        )
    split = saying(facts, "parts", "rule")
    yield from _plain(
        split, "positive share, learnt from", "parts", "train", "positive_share", unit="share"
    )
    yield from _plain(
        split, "positive share, decided on", "parts", "holdout", "positive_share", unit="share"
    )


def _serving(facts: Facts) -> Iterator[Figure]:
    tried = saying(facts, "loads", "p95_seconds")
    p95 = number(tried, "p95_seconds")
    if p95 is not None:
        allowed = stated(facts, "latency_ms")
        note = f"95 of 100 single rows; allowed {allowed:g} ms" if allowed else "95 of 100"
        yield Figure("answer time", p95 * 1000, unit="ms", note=note)
    yield from _plain(tried, "memory while serving", "memory_mib", unit="MiB")
    size = number(tried, "bytes")
    if size is not None:
        yield Figure("package", size / 1024 / 1024, unit="MiB")


def _engineer(facts: Facts) -> Iterator[Figure]:
    yield from _serving(facts)
    again = saying(facts, "largest_difference", "recipe")
    yield from _plain(again, "largest difference when trained again", "largest_difference")
    held = saying(facts, "champion", "challenger")
    if held:
        yield Figure("champion", str(held.get("champion") or "none yet")[:12])
    yield from _drift(facts)


def _software_engineer(facts: Facts) -> Iterator[Figure]:
    yield from _serving(facts)
    tried = rows(saying(facts, "bad_input"), "bad_input")
    if tried:
        refused = sum(row.get("refused") is True for row in tried)
        yield Figure("bad rows refused", float(refused), note=f"of {len(tried)}")
    yield from _plain(
        saying(facts, "skew_rows"), "rows that score differently when served", "skew_rows"
    )
    yield from _traffic(facts)


def _operator(facts: Facts) -> Iterator[Figure]:
    yield from _serving(facts)
    yield from _traffic(facts)
    drill = saying(facts, "drill_seconds", "came_back")
    seconds = number(drill, "drill_seconds")
    if seconds is not None:
        asked = number(drill.get("back"), "asked") if isinstance(drill.get("back"), dict) else None
        note = f"live and back, {asked:.0f} golden rows asked after each" if asked else ""
        yield Figure("rollback drill, measured", seconds, unit="s", note=note)
    for key, label in (
        ("rollback_command", "roll back by"),
        ("rollback_minutes", "walked through with who is on call, minutes as stated"),
        ("on_call", "on call"),
        ("fallback", "when it cannot answer"),
    ):
        found = stated(facts, key)
        if found is not None:
            yield Figure(label, found if isinstance(found, str) else float(found))


def _traffic(facts: Facts) -> Iterator[Figure]:
    for said in facts.values():
        mode = said.get("mode")
        if isinstance(mode, str) and number(said, "n") is not None:
            hours = number(said, "event_hours")
            note = f"of {said.get('minimum')} needed"
            if hours is not None:
                note += f"; {hours:.0f} h of event time"
            yield Figure(f"answers in {mode}", number(said, "n") or 0.0, unit="rows", note=note)
            yield from _plain(said, f"errors in {mode}", "error_share", unit="share")


def _drift(facts: Facts) -> Iterator[Figure]:
    moved = saying(facts, "alert_list", "columns")
    if moved:
        yield from _plain(moved, "columns that moved", "alerts", note=_of(moved, "rows") + " rows")


def _everybody(facts: Facts) -> Iterator[Figure]:
    judged = _judged(facts)
    yield from _metric(judged, "roc_auc", "ROC AUC")
    yield from _metric(judged, "mae", "mean absolute error")
    yield from _plain(saying(facts, "column_names"), "rows", "rows", unit="rows")


VOICES: Final[Mapping[str, Callable[[Facts], Iterator[Figure]]]] = {
    "BA": _analyst,
    "DE": _data_engineer,
    "DS": _scientist,
    "MLR": _researcher,
    "MLE": _engineer,
    "SWE": _software_engineer,
    "OPS": _operator,
}
