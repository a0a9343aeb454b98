"""The two best families together: would the mean of what they say be worth more than one?

It is measured, not offered: no model file answers with two families. The pair is the best and
the runner-up by the metric's mean; they were picked on the folds that judge them, so that their
gain is, if anything, too large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning import store
from pipelines.operations.learning.definition import from_json
from pipelines.operations.learning.tasks import TASKS, Task
from pipelines.operations.learning.unseen import averaged, read_unseen
from pipelines.operations.select_candidate.comparison import Entry, paired

YARDSTICK = "dummy"  # says the same of every row: its mean with another only blunts that one


def together(
    entries: Sequence[Entry],
    models: Sequence[tuple[str, Path]],
    unseen: Mapping[str, Path],
    metric: str,
) -> dict[str, Json] | None:
    """Mean, folds and gain over the better of the two; None where there are no two to average.

    Raises OperationError where scores of unseen rows do not belong to the models.
    """
    if not unseen:
        return None
    if len(unseen) != len(models):
        raise OperationError(
            "candidates_and_scores_differ",
            f"{len(models)} models came with {len(unseen)} tables of unseen rows",
            field="unseen", value=len(unseen), rule="one for each model, or none",
        )  # fmt: skip
    paths = list(unseen.values())
    ranked = sorted(entries, key=lambda entry: -entry.sign * entry.mean)
    pair: list[Entry] = []
    for entry in ranked:
        if entry.family != YARDSTICK and entry.family not in {one.family for one in pair}:
            pair.append(entry)
    if len(pair) < 2:
        return None
    best, second = pair[:2]
    found = {one.name: read_unseen(paths[entries.index(one)]) for one in (best, second)}
    values = averaged(found).measured(_task(models[0][1]), metric)
    mean = Entry("average", "average", None, values, best.sign, best.folds_digest, "")
    return {
        "families": [best.family, second.family],
        "names": [best.name, second.name],
        "mean": mean.mean,
        "folds": list(values),
        "over_best": paired(mean, best).as_json(),
    }


def _task(model: Path) -> Task:
    said = store.about(model).get("features")
    return TASKS[from_json(said if isinstance(said, dict) else {}).task]
