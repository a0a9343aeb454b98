"""Compute of `select_candidate`: paired comparison on equal folds, one-SE rule."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.learning import store
from pipelines.operations.select_candidate.comparison import (
    Entry,
    Gap,
    best_of,
    paired,
    parse_entry,
    simplest_within_one_se,
)
from pipelines.operations.select_candidate.together import together
from pipelines.operations.tables import read_document, write_document


def run(context: Context) -> Outcome:
    """Choose a candidate; raises OperationError when scores cannot be compared."""
    metric = context.text("metric")
    models = list(context.many.get("models", {}).items())
    scores = list(context.many.get("scores", {}).items())
    entries = _entries(models, scores, metric)
    best = best_of(entries)
    chosen = best if context.text("rule") == "best" else simplest_within_one_se(entries, best)
    baseline = next((entry for entry in entries if entry.family == "dummy"), None)
    rows = [_row(entry, best, baseline) for entry in entries]
    gap = paired(chosen, baseline) if baseline and baseline is not chosen else None
    document: dict[str, Json] = {
        "format": "baton/comparison/1",
        "metric": metric,
        "rule": context.text("rule"),
        "folds_digest": entries[0].folds_digest,
        "candidates": list[Json](rows),
        "chosen": chosen.name,
        "best": best.name,
        "average": together(entries, models, context.many.get("unseen", {}), metric),
    }
    shutil.copyfile(models[entries.index(chosen)][1], context.output("candidate"))
    outputs = {
        "candidate": context.output("candidate"),
        "comparison": write_document(context.output("comparison"), document),
    }
    context.progress(1.0, f"chose {chosen.name} of {len(entries)}")
    return Outcome(outputs, _facts(document, entries, chosen=chosen, gap=gap))


def _entries(
    models: Sequence[tuple[str, Path]], scores: Sequence[tuple[str, Path]], metric: str
) -> list[Entry]:
    if len(models) != len(scores) or not models:
        raise OperationError(
            "candidates_and_scores_differ",
            f"{len(models)} models came with {len(scores)} scores",
            field="scores",
            value=len(scores),
            rule="one for each model, at least one",
        )
    entries = []
    for (name, model), (_, score) in zip(models, scores, strict=True):
        entry = parse_entry(name, read_document(score), metric)
        about = store.about(model)
        if (about.get("family"), about.get("settings")) != (entry.family, entry.settings):
            raise OperationError(
                "scores_of_another_model",
                f"the scores given for {name} are of another model ({entry.family})",
                field="scores",
                value=entry.family,
                rule=f"are of the model beside them ({about.get('family')})",
            )
        entries.append(entry)
    for what in ("folds_digest", "features_digest"):
        found = sorted({str(getattr(entry, what)) for entry in entries})
        if len(found) > 1:
            raise OperationError(
                "not_comparable",
                f"the candidates were not scored on the same {what.partition('_')[0]}",
                field="scores",
                value=list[Json](found),
                rule=f"equal {what}",
            )
    return entries


def _row(entry: Entry, best: Entry, baseline: Entry | None) -> dict[str, Json]:
    return {
        "name": entry.name,
        "family": entry.family,
        "settings": entry.settings,
        "mean": entry.mean,
        "folds": list(entry.values),
        "behind_best": paired(best, entry).as_json() if entry is not best else None,
        "over_baseline": paired(entry, baseline).as_json()
        if baseline and baseline is not entry
        else None,
    }


def _facts(
    document: Mapping[str, Json], entries: Sequence[Entry], *, chosen: Entry, gap: Gap | None
) -> dict[str, Json]:
    families: list[Json] = [*dict.fromkeys(entry.family for entry in entries)]
    return {
        **document,
        "families": families,
        "chosen_family": chosen.family,
        "chosen_settings": chosen.settings,
        "chosen_score": chosen.mean,
        "baseline_gain": gap.as_json() if gap else None,
        "kept_simple": document["chosen"] != document["best"],
    }
