"""Choose the detector: the simplest within one standard error of the best."""

from __future__ import annotations

import shutil

from pipelines.operations.anomalies.alerts import macro, recall, threshold_for, volume_of
from pipelines.operations.anomalies.detector import FAMILIES
from pipelines.operations.anomalies.planting import PLANTED
from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.learning.candidates import open_candidate, score_frame
from pipelines.operations.tables import read_table, write_document


def run(context: Context) -> Outcome:
    """Score all on the same planted anomalies; raises OperationError."""
    frame = read_table(context.inputs["checked"])
    found = [(path, open_candidate(path, context)) for path in context.many["models"].values()]
    time = context.text("time_column") or found[0][1].time
    real = frame[frame[PLANTED] == 0]
    volume, margin = volume_of(context, real, time), context.number("margin")
    threshold = threshold_for(context.number("capacity"), volume.planned, margin=margin)
    rows: list[dict[str, Json]] = []
    for number, (_, candidate) in enumerate(found, start=1):
        scores = score_frame(candidate, frame, field="checked")
        one = recall(frame, scores, threshold)
        mean, error = macro(one)
        rows.append(
            {
                "family": candidate.family,
                "mean": finite(mean, 6),
                "standard_error": finite(error, 6),
                "recall": one,
                "chosen": False,
            }
        )
        context.progress(0.9 * number / len(found), f"{candidate.family} scored", len(frame))
    place = choose(rows)
    rows[place]["chosen"] = True
    facts: dict[str, Json] = {
        "families": [row["family"] for row in rows],
        "candidates": list[Json](rows),
        "family": rows[place]["family"],
        "threshold": threshold,
        **volume.as_json(),
        "rule": "the simplest within one standard error of the best mean recall over the kinds",
    }
    candidate_path = context.output("candidate")
    shutil.copyfile(found[place][0], candidate_path)
    comparison = write_document(context.output("comparison"), facts)
    context.progress(1.0, f"{facts['family']} chosen")
    return Outcome({"candidate": candidate_path, "comparison": comparison}, facts)


def choose(rows: list[dict[str, Json]]) -> int:
    """The place of the simplest family whose mean is within one standard error of the best."""
    means = [float(str(row["mean"])) for row in rows]
    best = max(range(len(rows)), key=lambda place: means[place])
    least = means[best] - float(str(rows[best]["standard_error"]))
    near = [place for place in range(len(rows)) if means[place] >= least]
    return min(near, key=lambda place: _simplicity(str(rows[place]["family"])))


def _simplicity(family: str) -> int:
    return FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
