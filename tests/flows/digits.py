"""A second use case for the play: which written digits are odd? 1,797 real ones, in seconds.

The mistake in it: `pixel_3_4` is declared as known only afterwards, and used at first.
"""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sklearn.datasets import load_digits

from portal.demo import script
from portal.demo.flights import Flight
from portal.demo.traffic import Caller
from tests.flows.quick import QuickPlay

AFTER: Final = "pixel_3_4"
FEATURES: Final = [f"pixel_{row}_{column}" for row in (1, 2, 4, 5, 6) for column in (2, 3, 5)]
QUESTION: Final = "Which written digits are odd?"
PARAMETERS: Final[dict[str, Any]] = {
    "target": "odd",
    "holdout_share": 0.35,
    "search_trials": 10,
    "max_ece": 0.2,
    "max_worse_slices": 9,
    "max_psi": 1.0,
    "shadow_predictions": 50,
    "canary_predictions": 300,  # fewer than 200 scores are not compared
    "canary_share": 0.5,
    "canary_hours": 0,
    "serving_predictions": 300,
}
FORMS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("frame", "brief"): {
        **script.BRIEF,
        "question": QUESTION,
        "base_rate": 0.5,
        "costs": {"cost_fp": 100.0, "cost_fn": 0.0, "benefit_tp": 100.0},
    },
    ("source", "contract"): {**script.CONTRACT, "declarations": {AFTER: {"available": "after"}}},
    ("explore", "report"): {**script.ITEMS["explore", "report"], "slices": []},
}
WATCH: Final[dict[str, Any]] = {
    "metric": "roc_auc",
    "positive": "true",
    "costs": FORMS["frame", "brief"]["costs"],
}


class DigitPlay(QuickPlay):
    """The seven people with the answers that fit digits; everything else as in the demo."""

    def form(self, key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
        """Return what the script says, or what is different here."""
        return form(key, round=round) or super().form(key, round=round)


class Season(Caller):
    """Asks about a few rows of the first season at a time; the later ones all at once."""

    season = 6000
    few = 200

    def call(self, rows: int = few) -> str:
        """Ask about the next rows; as long as few are wanted, never about later ones."""
        if rows <= self.few and self.asked >= self.season:
            return ""
        return super().call(rows)


def form(key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
    """Return what is filled into a work item of this use case; None where the script's will do."""
    if key == script.CHOICE:
        columns = [*FEATURES, AFTER] if round == 1 else FEATURES
        return {"columns": columns, "reason": "Dark pixels of the middle columns."}
    return FORMS.get(key)


def as_csv() -> bytes:
    """The 1,797 digits, one a line."""
    found = load_digits(as_frame=True)
    table = found.data.assign(odd=found.target % 2 == 1)
    return bytes(table.to_csv(index=False), "utf-8")


def later(count: int, *, day: int, darker: float = 0.0) -> list[Flight]:
    """Digits that arrive from a day on, one a minute: drawn again, in darker ink."""
    found = load_digits(as_frame=True)
    rows = found.data.to_dict("records")
    chance, start = random.Random(day), datetime(2013, 11, day, tzinfo=UTC)
    drawn = [chance.randrange(len(rows)) for _ in range(count)]
    return [
        Flight(
            key=f"{day}-{number}",
            scheduled=(start + timedelta(minutes=number)).replace(tzinfo=None).isoformat(),
            row={name: min(16.0, value + darker) for name, value in rows[index].items()},
            late=bool(found.target[index] % 2),
        )
        for number, index in enumerate(drawn)
    ]
