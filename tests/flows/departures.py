"""A use case that looks ahead: how many flights leave New York in each of the next hours?

The real departures of August to October 2013, counted by the hour.
"""

import io
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from portal.demo import script
from portal.demo.flights import _flights
from tests.flows.quick import QuickPlay

MONTHS: Final = range(8, 11)
QUESTION: Final = "How many flights will leave in each of the next three hours?"
PARAMETERS: Final[dict[str, Any]] = {
    "time_column": "leaves",
    "every": "hour",
    "horizons": 3,
    "season": 24,
    "lags": 6,
    "train_until": "2013-10-01T00:00:00",
    "search_trials": 10,
    "max_worse_slices": 9,
}
FORMS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("frame", "brief"): {
        **{name: value for name, value in script.BRIEF.items() if name != "base_rate"},
        "question": QUESTION,
        "metric": "mae",
        "target_value": 4.0,
        "costs": {"unit_cost": 25.0},
        "error_now": 5.0,
        "volume": 72,
    },
    ("source", "contract"): {
        **script.CONTRACT,
        "declarations": {"value": {"available": "after"}},
    },
    ("explore", "report"): {**script.ITEMS["explore", "report"], "slices": ["horizon"]},
    script.CHOICE: {"columns": [], "reason": "Everything known when the forecast is made."},
}


class DeparturePlay(QuickPlay):
    """The seven people with the answers that fit departures; everything else as in the demo."""

    def form(self, key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
        """Return what is different here, or what the script says."""
        return FORMS.get(key) or super().form(key, round=round)


def as_parquet() -> bytes:
    """The hour of every departure, one a row."""
    rows = _flights()
    header = next(rows)
    month, left = header.index("month"), header.index("dep_time")
    places = [header.index(name) for name in ("year", "month", "day", "hour")]
    kept = [
        [row[place] for place in places]
        for row in rows
        if int(row[month]) in MONTHS and row[left] not in ("", "NA")
    ]
    parts = pd.DataFrame(kept, columns=["year", "month", "day", "hour"]).astype("int64")
    sink = io.BytesIO()
    pd.DataFrame({"leaves": pd.to_datetime(parts)}).to_parquet(sink, index=False)
    return sink.getvalue()
