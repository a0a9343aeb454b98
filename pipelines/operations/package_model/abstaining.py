"""Which rows a package leaves to people: the rule that was measured, as serving applies it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from pipelines.operations.contract import Context, Json, OperationError
from pipelines.operations.learning.class_names import texts_of
from pipelines.operations.packages.decisions import Decision, parse_decision
from pipelines.operations.tables import read_document


def abstain_rule(context: Context, manifest: Mapping[str, Json], classes: tuple[Json, ...]) -> Json:
    """The manifest's entry; None where the package is to answer every row.

    Raises OperationError where it is asked to abstain and nothing measured says when.
    """
    if not context.flag("abstain"):
        return None
    path = context.inputs.get("band")
    document = read_document(path) if path else {}
    facts = document.get("facts")
    found = facts if isinstance(facts, dict) else {}
    rule = _band(found, manifest) if len(classes) == 2 else _several(found, classes)
    if rule is None:
        raise OperationError(
            "no_band",
            "the package is to leave rows to people, and no band says which",
            field="band", value=str(document.get("format")) if document else None,
            rule="measure_coverage or evaluate_classes has found one for these classes",
        )  # fmt: skip
    return rule


def _band(facts: Mapping[str, Json], manifest: Mapping[str, Json]) -> dict[str, Json] | None:
    """Between two scores, widened to the threshold so that every answer is the decided one."""
    band = facts.get("abstain")
    given = band if isinstance(band, dict) else facts
    names = ("low", "high") if isinstance(band, dict) else ("abstain_from", "abstain_to")
    low, high = given.get(names[0]), given.get(names[1])
    threshold = manifest.get("threshold")
    if not all(isinstance(value, int | float) for value in (low, high, threshold)):
        return None
    ends = [float(str(value)) for value in (low, high)]
    if not isinstance(band, dict):
        # both ends of conformal sets belong to the rows of which both classes are possible
        ends = [math.nextafter(ends[0], -math.inf), math.nextafter(ends[1], math.inf)]
    middle = float(str(threshold))
    return {"rule": "band", "low": min(ends[0], middle), "high": max(ends[1], middle)}


def _several(facts: Mapping[str, Json], classes: tuple[Json, ...]) -> dict[str, Json] | None:
    band = facts.get("abstain")
    if isinstance(band, dict):
        most = band.get("most")
        return {"rule": "risk", "most": most} if isinstance(most, int | float) else None
    cuts, named = facts.get("cuts"), facts.get("cut_classes")
    if not isinstance(cuts, list) or named != texts_of(classes):
        return None
    return {"rule": "sets", "cuts": cuts, "confidence": facts.get("confidence")}


def left_share(manifest: Mapping[str, Json], scores: np.ndarray) -> float | None:
    """Share of rows with these scores that get no answer; None where every row gets one."""
    decision = parse_decision(manifest)
    if decision.abstain is None:
        return None
    return float(np.mean([bool(_reason(decision, row)) for row in scores]))


def _reason(decision: Decision, row: np.ndarray) -> str:
    if decision.abstain is None:
        return ""
    if not decision.several:
        return decision.abstain.of_score(float(row))
    shares = [float(share) for share in row]
    answer, cost = decision.cheapest(shares)
    return decision.abstain.of_several(shares, answer, cost, texts_of(decision.several))
