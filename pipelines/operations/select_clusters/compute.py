"""Choose the segment model to judge; every reason against one is told."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from pipelines.operations.clusters.segmenter import FAMILIES
from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.tables import read_document, write_document

Scores = Mapping[str, Json]


def run(context: Context) -> Outcome:
    """Stable before unstable, then the better separated, then simpler; raises OperationError.

    Where none can be taken, the most stable one is handed on, for the checks to say so.
    """
    pairs = _pairs(context)
    held = [(path, scores, objections(context, scores)) for path, scores in pairs]
    free = [one for one in held if not one[2]]
    stable = context.number("stable")
    if free:
        path, chosen, _ = max(free, key=lambda one: _rank(one[1], stable))
    else:
        path, chosen, _ = max(held, key=lambda one: (_stability(one[1]), _rank(one[1], stable)))
    rows: list[Json] = [
        {
            "family": scores.get("family"),
            "groups": scores.get("groups"),
            "stability": _stability(scores) if _stability(scores) >= 0 else None,
            "silhouette": scores.get("silhouette"),
            "davies_bouldin": scores.get("davies_bouldin"),
            "smallest_share": scores.get("smallest_share"),
            "outside_share": scores.get("outside_share"),
            "against": list[Json](against),
            "chosen": scores is chosen,
        }
        for _, scores, against in held
    ]
    facts: dict[str, Json] = {
        "families": [scores.get("family") for _, scores in pairs],
        "candidates": rows,
        "eligible": len(free),
        "family": chosen.get("family"),
        "groups": chosen.get("groups"),
        "tried": sum(len(_list(scores.get("tried"))) for _, scores in pairs),
    }
    candidate = context.output("candidate")
    shutil.copyfile(path, candidate)
    document: dict[str, Json] = {"format": "baton/segment-comparison/1", **facts}
    comparison = write_document(context.output("comparison"), document)
    context.progress(1.0, f"{chosen.get('family')} chosen")
    return Outcome({"candidate": candidate, "comparison": comparison}, facts)


def _pairs(context: Context) -> list[tuple[Path, Scores]]:
    models, scores = context.many["models"], context.many["scores"]
    if len(models) != len(scores) or not models:
        raise OperationError(
            "pairs_differ",
            f"{len(models)} models and {len(scores)} scores are given",
            field="scores",
            value=len(scores),
            rule="each model has its scores",
        )
    return [
        (path, read_document(found))
        for path, found in zip(models.values(), scores.values(), strict=True)
    ]


def objections(context: Context, scores: Scores) -> list[str]:
    """Why a model cannot be taken; empty where it can."""
    found = []
    groups, fewest, most = _number(scores, "groups"), *map(context.whole, ("fewest", "most"))
    if groups < max(2, fewest):
        found.append(f"{groups:.0f} groups, wanted at least {max(2, fewest)}")
    if groups > most:
        found.append(f"{groups:.0f} groups, wanted at most {most}")
    if groups >= 2 and _stability(scores) < context.number("reject"):
        found.append(f"stability {_stability(scores):.2f} below {context.number('reject'):g}")
    smallest = context.number("smallest_share")
    if groups and _number(scores, "smallest_share") < smallest:
        found.append(f"a group of {_number(scores, 'smallest_share'):.1%}, below {smallest:.1%}")
    outside = context.number("outside_share")
    if _number(scores, "outside_share") > outside:
        found.append(f"{_number(scores, 'outside_share'):.1%} in no group, above {outside:.1%}")
    return found


def _rank(scores: Scores, stable: float) -> tuple[bool, float, int]:
    """Stable first, then the silhouette over all rows, then the simpler family.

    Rows in no group have no silhouette: they count as 0, else a model that leaves out the rows
    that are hard to place would beat one that places them all.
    """
    family = str(scores.get("family"))
    simple = -FAMILIES.index(family) if family in FAMILIES else -len(FAMILIES)
    separation = _number(scores, "silhouette", -1.0) * (1 - _number(scores, "outside_share"))
    return (_stability(scores) >= stable, separation, simple)


def _stability(scores: Scores) -> float:
    held = scores.get("stability")
    return _number(held, "value", -1.0) if isinstance(held, dict) else -1.0


def _number(source: Scores, key: str, default: float = 0.0) -> float:
    value = source.get(key)
    return float(value) if isinstance(value, int | float) else default


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
