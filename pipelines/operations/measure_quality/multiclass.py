"""Late labels that are one of several classes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations import windows
from pipelines.operations.contract import Context, Json, finite
from pipelines.operations.learning import class_tables
from pipelines.operations.learning.class_costs import constant_answer, parse_class_costs
from pipelines.operations.learning.class_names import classes_in, probability_columns
from pipelines.operations.learning.class_scores import likeliest
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.measure_quality.classes import money_facts
from pipelines.operations.measure_quality.reading import Scored
from pipelines.operations.tables import read_table


class SeveralReading:
    """Classes as text, with the probabilities that were answered; made for one evaluation."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.places = {windows.class_of(name): place for place, name in enumerate(names)}

    def known(self, window: pd.DataFrame) -> pd.DataFrame:
        """Every row with an outcome that is one of the classes, and a probability of each."""
        if windows.PROBABILITIES not in window.columns:
            return window.iloc[:0]
        outcome = window[windows.ACTUAL].notna() & window[windows.SCORE].notna()
        rows = window[outcome & window[windows.PROBABILITIES].notna()]
        readable = [
            windows.class_of(str(actual)) in self.places and self._shares(text) is not None
            for actual, text in zip(rows[windows.ACTUAL], rows[windows.PROBABILITIES], strict=True)
        ]
        return rows[np.asarray(readable, dtype=bool)]

    def _shares(self, text: str) -> list[float] | None:
        found = json.loads(text)
        shares = [found.get(name) for name in self.names] if isinstance(found, dict) else []
        numbers = [float(share) for share in shares if isinstance(share, int | float)]
        return numbers if len(numbers) == len(self.names) else None

    def scores(self, known: pd.DataFrame) -> Floats:
        """rows x classes, as answered."""
        rows = [self._shares(text) for text in known[windows.PROBABILITIES]]
        return np.asarray(rows, dtype=np.float64).reshape(len(known), len(self.names))

    def truth(self, context: Context, known: pd.DataFrame) -> np.ndarray:
        """The place of each outcome's class."""
        found = [self.places[windows.class_of(str(value))] for value in known[windows.ACTUAL]]
        return np.asarray(found, dtype=np.int64)

    def ready(self, truth: np.ndarray) -> bool:
        """Two classes or more came out."""
        return np.unique(truth).size >= 2

    def offline(self, path: Path) -> tuple[Floats, np.ndarray]:
        """Probabilities and classes of the evaluation."""
        columns = probability_columns(self.names)
        table = read_table(path, [*columns, "label"])
        return table[columns].to_numpy(dtype=np.float64), table["label"].to_numpy(dtype=np.int64)

    def more(
        self, context: Context, known: pd.DataFrame, *, now: Scored, before: np.ndarray
    ) -> dict[str, Json]:
        """Each class now and in the evaluation, what was left to people; money if costs are known.

        Recall and precision are of the likeliest class, as the metric is; money is of the answers
        as they were given, and a row left to people neither costs nor saves.
        """
        answers = likeliest(now.scores)
        table, _ = class_tables.decided(now.truth, answers, self.names, now.drawn)
        shares = np.bincount(before, minlength=len(self.names)) / max(before.size, 1)
        rows: list[Json] = [
            {**row, "share": finite(int(str(row["rows"])) / now.truth.size, 6),
             "reference_share": finite(float(share), 6)}
            for row, share in zip(table, shares, strict=True)
        ]  # fmt: skip
        facts: dict[str, Json] = {
            "per_class": rows,
            "confusion_matrix": class_tables.matrix(now.truth, answers, self.names),
            "left_to_people": int(known[windows.LABEL].isna().sum()),
        }
        given = context.mapping("class_costs")
        if not given:
            return facts
        costs = parse_class_costs(given, self.names)
        alone = np.full(now.truth.size, constant_answer(costs, before))
        said = [self.places.get(windows.class_of(str(label))) for label in known[windows.LABEL]]
        answered = np.asarray([place is not None for place in said])
        places = np.asarray([place or 0 for place in said], dtype=np.int64)
        saved = costs.paid(now.truth, alone) - costs.paid(now.truth, places)
        beside: dict[str, Json] = {"beside": f"always answering {self.names[int(alone[0])]}"}
        return facts | money_facts(np.where(answered, saved, 0.0), now, costs.currency) | beside


def reading_of(path: Path) -> SeveralReading | None:
    """The reading of an evaluation of several classes; None for another."""
    names = classes_in(list(map(str, read_table(path).columns)))
    return SeveralReading(names) if len(names) > 2 else None
