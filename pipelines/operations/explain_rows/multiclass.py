"""Single rows of several classes: what each column added to the probability of the answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipelines.operations.contract import Context, Json
from pipelines.operations.explain_model.view import View
from pipelines.operations.explain_rows.shapley import Index, Mixed, Orders, Parts, explain
from pipelines.operations.learning.class_decisions import Answers
from pipelines.operations.learning.class_names import texts_of
from pipelines.operations.learning.class_scores import log_losses
from pipelines.operations.learning.metrics import Floats


def picked_rows(context: Context, view: View, decided: Answers) -> list[tuple[int, str]]:
    """Rows and why they were picked: worst errors, closest decisions, drawn."""
    scores, truth = view.holdout.scores, view.holdout.labels
    wrong = np.argsort(-log_losses(scores, truth), kind="stable")[: context.whole("errors")]
    expected = np.sort(decided.costs.expected(scores), axis=1)
    near = np.argsort(expected[:, 1] - expected[:, 0], kind="stable")[: context.whole("close")]
    rng = np.random.default_rng([context.seed, 1])
    others = np.sort(rng.choice(truth.size, min(context.whole("others"), truth.size), False))
    picked: dict[int, str] = {}
    for rows, why in (
        (wrong, "worst error"), (near, "two answers cost nearly the same"), (others, "drawn"),
    ):  # fmt: skip
        for row in rows:
            picked.setdefault(int(row), why)
    return list(picked.items())


def of_class(mixed: Callable[[Index, Index, np.ndarray], Floats], place: int) -> Mixed:
    """The probability of one class, from a mixer that gives those of all."""

    def one(row: Index, other: Index, own: np.ndarray) -> Floats:
        return mixed(row, other, own)[:, place]

    return one


def explained(
    view: View, row: int, decided: Answers, drawn: tuple[Orders, Mixed]
) -> tuple[Parts, float, dict[str, Json]]:
    """(parts of the answer's probability, that probability, what is said of the row)."""
    orders, mixed = drawn
    place = int(decided.answers[row])
    parts = explain(row, orders, of_class(mixed, place))
    names = texts_of(view.holdout.classes)
    said: dict[str, Json] = {
        "answered": names[place],
        "class": names[int(view.holdout.labels[row])],
        "right": place == int(view.holdout.labels[row]),
    }
    return parts, float(view.holdout.scores[row, place]), said
