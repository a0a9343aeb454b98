"""Group rows by one family: the number of groups, the partition, and how stable it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.operations.clusters.files import Comparable, open_rows, write_segments
from pipelines.operations.clusters.segmenter import FAMILIES, OUTSIDE, Segmenter
from pipelines.operations.clusters.stability import (
    Labels,
    groups_of,
    separation,
    silhouette,
    stability,
)
from pipelines.operations.contract import Context, Json, Outcome, finite
from pipelines.operations.tables import write_document
from pipelines.operations.unlabelled.columns import need_rows
from pipelines.operations.unlabelled.matrix import Floats, sample_rows

CHOSEN_BY = {"kmeans": "silhouette", "mixture": "bic", "density": "density"}
DENSITY_SHARE = 10  # HDBSCAN compares rows with rows: it learns from a tenth


@dataclass(frozen=True)
class Tried:
    """One number of groups with its figures."""

    segmenter: Segmenter
    groups: int
    silhouette: float | None
    bic: float | None

    def as_json(self) -> dict[str, Json]:
        """The row as facts show it."""
        return {
            "groups": self.groups,
            "silhouette": finite(self.silhouette, 6),
            "bic": finite(self.bic, 3),
        }


def run(context: Context) -> Outcome:
    """Choose the number of groups on a sample, then learn them from all rows.

    Raises OperationError for too few rows or values that no column may hold.
    """
    rows = open_rows(
        context.inputs["rows"], context.inputs["features"], scale=context.text("scale")
    )
    need_rows(rows.frame, field="rows")
    family, seed = context.text("family"), context.seed
    sample = rows.matrix[sample_rows(len(rows.matrix), context.whole("rows"), seed=seed)]
    context.progress(0.1, "rows prepared", len(rows.matrix))
    tried = try_all(context, sample)
    chosen = choose(family, tried)
    context.progress(0.5, f"{chosen.groups} groups chosen", len(sample))
    held = stability(
        chosen.segmenter, sample, resamples=context.whole("resamples"), seed=seed,
        told=lambda share: context.progress(0.5 + 0.4 * share, "resampling", len(sample)),
    )  # fmt: skip
    final = fit_all(context, rows.matrix, chosen.segmenter)
    labels = final.predict(rows.matrix)
    figures: dict[str, Json] = {
        "family": family,
        "chosen_by": CHOSEN_BY[family],
        "rows": len(labels),
        "judged_on": len(sample),
        "columns": list[Json](rows.features.names),
        "stability": held.as_json(),
        "tried": [one.as_json() for one in tried],
        **sizes(labels),
        **separation(sample, final.predict(sample)),
    }
    about: dict[str, Json] = {**_recipe(context, final), "family": family, "seed": seed}
    model = write_segments(rows, final, context.output("model"), about=about)
    document: dict[str, Json] = {"format": "baton/segment-scores/1", **figures}
    scores = write_document(context.output("scores"), document)
    context.progress(1.0, f"{figures['groups']} groups", len(labels))
    return Outcome({"model": model, "scores": scores}, figures)


def try_all(context: Context, sample: Floats) -> list[Tried]:
    """Each number of groups once; HDBSCAN finds its own number. One group has no silhouette."""
    family = context.text("family")
    smallest = max(5, round(context.number("smallest_share") * len(sample)))
    fewest = 1 if family == "mixture" else max(2, context.whole("fewest"))
    most = min(max(context.whole("most"), fewest), len(np.unique(sample, axis=0)))
    counts = [0] if family == "density" else range(fewest, max(most, fewest) + 1)
    found = []
    for count in counts:
        segmenter = Segmenter(family, count, smallest, context.seed).fit(sample)
        labels = segmenter.predict(sample)
        found.append(
            Tried(
                segmenter,
                groups_of(labels),
                silhouette(sample, labels),
                segmenter.criterion(sample),
            )
        )
        context.progress(0.1 + 0.4 * len(found) / len(counts), f"{count} groups tried")
    return found


def choose(family: str, tried: list[Tried]) -> Tried:
    """The lowest BIC, else the highest silhouette; fewer groups where they are equal."""
    if family == "mixture":
        return min(tried, key=lambda one: (one.bic or 0.0, one.groups))
    return max(tried, key=lambda one: (_or_worst(one.silhouette), -one.groups))


def _or_worst(value: float | None) -> float:
    return -1.0 if value is None else value


def fit_all(context: Context, matrix: Floats, chosen: Segmenter) -> Segmenter:
    """The chosen one, learned from all rows or as many as it may take."""
    most = context.whole("fit_rows")
    most = most // DENSITY_SHARE if chosen.family == "density" else most
    rows = sample_rows(len(matrix), most, seed=context.seed)
    smallest = max(5, round(context.number("smallest_share") * len(rows)))
    return Segmenter(chosen.family, chosen.count, smallest, chosen.seed).fit(matrix[rows])


def sizes(labels: Labels) -> dict[str, Json]:
    """How many groups there are, how large each is, and how many rows are in none."""
    numbers, counts = np.unique(labels, return_counts=True)
    inside = [int(count) for number, count in zip(numbers, counts, strict=True) if number]
    share = {
        str(int(number)): finite(float(count / labels.size), 6)
        for number, count in zip(numbers, counts, strict=True)
    }
    return {
        "groups": len(inside),
        "shares": dict[str, Json](share),
        "smallest": min(inside, default=0),
        "smallest_share": finite(min(inside, default=0) / labels.size, 6),
        "outside_share": finite(float((labels == OUTSIDE).mean()), 6),
    }


def _recipe(context: Context, final: Segmenter) -> dict[str, Json]:
    """What is needed to learn it again from the same rows."""
    return {
        "settings": {"count": final.count, "smallest": final.smallest},
        "scale": context.text("scale"),
        "fit_rows": context.whole("fit_rows"),
        "simplicity": FAMILIES.index(final.family),
    }


def again(about: dict[str, Json], rows: Comparable) -> Segmenter:
    """Learn a model of the recipe in its file again, from rows prepared anew."""
    settings = about.get("settings")
    kept = settings if isinstance(settings, dict) else {}
    family, seed = str(about.get("family")), int(str(about.get("seed")))
    most = int(str(about.get("fit_rows")))
    most = most // DENSITY_SHARE if family == "density" else most
    chosen = sample_rows(len(rows.matrix), most, seed=seed)
    segmenter = Segmenter(family, int(str(kept["count"])), int(str(kept["smallest"])), seed)
    return segmenter.fit(rows.matrix[chosen])
