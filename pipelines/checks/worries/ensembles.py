"""W22: is an ensemble worth more than a single model, by more than one standard error?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from pipelines.checks.contract import Facts, Json, mapping, names, number, rows, text
from pipelines.checks.worries.looking import (
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

# Boosting adds trees, a forest averages them; the two best families are averaged where they are
# selected, to be measured: no served model is such an average.
ENSEMBLES: Mapping[str, str] = {
    "boosting": "boosting", "text_boosting": "boosting", "forest": "bagging",
}  # fmt: skip
RULES = ("dummy", "robust_z")  # no models: what a model has to beat
PAIR = 2
PRICES = (("fit_seconds", "s to fit", 1.0), ("model_bytes", "kB", 1e-3))
LOWER_IS_BETTER = ("log_loss", "brier", "mae", "rmse")


def ensembling(facts: Facts) -> Look:
    """W22: an ensemble against a single model, on the same folds, and its price.

    Boosting or a forest, where there is one; and the average of the two best families.
    """
    found = last(facts, "families", "candidates")
    if found is None:
        return unseen("no families were compared yet")
    scored = [row for row in rows(found, "candidates") if number(row, "mean") is not None]
    many = [row for row in scored if text(row, "family") in ENSEMBLES]
    single = [row for row in scored if text(row, "family") not in {*ENSEMBLES, *RULES}]
    chosen = text(found, "chosen_family") or text(found, "family")
    average, worth = _together(facts, found)
    if not many or not single:
        if average:
            return _with_average(Look(CLEAR, average), average, worth=worth)
        kinds = ", ".join(names(found, "families")) or "one family"
        return Look(NOT_HERE, f"no ensemble stands beside a single model ({kinds})")
    sign = -1 if text(found, "metric") in LOWER_IS_BETTER else 1
    best, simple = _best(many, sign), _best(single, sign)
    seen = _grown(facts, best, simple, chosen=chosen, sign=sign)
    return _with_average(seen, average, worth=worth) if average else seen


def _grown(
    facts: Facts, best: dict[str, Json], simple: dict[str, Json], *, chosen: str, sign: int
) -> Look:
    """Boosting or a forest against a single model."""
    gain, error = _gain(best, simple, sign)
    name, other = text(best, "family"), text(simple, "family")
    told = f"{name} ({ENSEMBLES[name]}) against {other}, a single model: {gain:+.4f}"
    told += f" ± {error:.4f} (1 SE)" if error is not None else " (spread unknown)"
    told += _price(facts, name, other)
    small = error is not None and gain <= error
    level = CLEAR
    if chosen in ENSEMBLES and small:
        level = WARN
    elif chosen in ENSEMBLES and error is None:
        level = NOTE
    finding: dict[str, Json] = {"columns": [], "severity": level if level != CLEAR else NOTE,
                                "message": told}  # fmt: skip
    kept = "; the single one was kept" if chosen not in ENSEMBLES else ""
    advice = f"Keep {other}: the gain is within one standard error" if level == WARN else ""
    return Look(level, told + kept, (finding,), advice, gain, error, ">=", "gain")


def _together(facts: Facts, found: Mapping[str, Json]) -> tuple[str, bool]:
    """What the two best families give when averaged, and whether by more than one SE."""
    average = mapping(found, "average")
    pair, over = names(average, "families"), mapping(average, "over_best")
    gain, error = number(over, "value"), number(over, "standard_error")
    if len(pair) != PAIR or gain is None:
        return "", False
    told = f"{pair[0]} and {pair[1]} averaged, against {pair[0]} alone: {gain:+.4f}"
    told += f" ± {error:.4f} (1 SE)" if error is not None else " (spread unknown)"
    return told + _sum(facts, pair), error is not None and gain > error


def _with_average(seen: Look, average: str, *, worth: bool) -> Look:
    """What was seen, and beside it the average; worth more than one SE, it is a note."""
    level = NOTE if worth and seen.level == CLEAR else seen.level
    finding: dict[str, Json] = {"columns": [], "severity": NOTE, "message": average}
    told = average if seen.text == average else f"{seen.text}; {average}"
    advice = seen.advice
    if worth and not advice:
        advice = "Bring the average as a model of your own, if the gain is worth two to keep alive"
    return replace(seen, level=level, text=told, findings=(*seen.findings, finding), advice=advice)


def _best(of: list[dict[str, Json]], sign: int) -> dict[str, Json]:
    return max(of, key=lambda row: sign * (number(row, "mean") or 0.0))


def _gain(
    best: Mapping[str, Json], simple: Mapping[str, Json], sign: int
) -> tuple[float, float | None]:
    """Mean gain and its standard error: paired by fold, else of the two means."""
    first, second = best.get("folds"), simple.get("folds")
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second) > 1:
        gaps = [sign * (float(str(a)) - float(str(b))) for a, b in zip(first, second, strict=True)]
        return fmean(gaps), stdev(gaps) / math.sqrt(len(gaps))
    gain = sign * ((number(best, "mean") or 0.0) - (number(simple, "mean") or 0.0))
    errors = number(best, "standard_error"), number(simple, "standard_error")
    return gain, None if None in errors else math.hypot(*(error or 0.0 for error in errors))


def _price(facts: Facts, name: str, other: str) -> str:
    """Seconds of fitting, where both were timed; size of the files, where both are known."""
    told = []
    for key, unit, scale in PRICES:
        seen = _paid(facts, key)
        first, second = seen.get(name), seen.get(other)
        if first is not None and second is not None:
            told.append(f"{first * scale:,.1f} to {second * scale:,.1f} {unit}")
    return f", for {', '.join(told)}" if told else ""


def _sum(facts: Facts, pair: Sequence[str]) -> str:
    """What both cost together, against the first alone."""
    told = []
    for key, unit, scale in PRICES:
        seen = [_paid(facts, key).get(name) for name in pair]
        first, second = seen
        if first is not None and second is not None:
            told.append(f"{(first + second) * scale:,.1f} to {first * scale:,.1f} {unit}")
    return f", for {', '.join(told)}" if told else ""


def _paid(facts: Facts, key: str) -> Mapping[str, float | None]:
    return {text(said, "family"): number(said, key) for _, said in every(facts, "family", key)}


LOOKS: Mapping[str, Looking] = {"W22": ensembling}
