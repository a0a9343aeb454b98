"""A use case whose answer is a number: how late will a flight that has left arrive?

Real flights of 2013 out of New York, with what is known when they leave the ground. Every ninetieth
of January to October is known at the start; every sixth of November calls, and its arrival is
reported later.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from portal.demo import script
from portal.demo.flights import Flight, Row, _flights
from portal.demo.traffic import LABEL_BATCH, Caller
from tests.flows.quick import QuickPlay

KNOWN_EVERY, LATER_EVERY, LATER_MONTH = 90, 6, 11
FEW: Final = 120  # rows a call
SMALL: Final = ("HA", "OO", "YV")  # carriers that a sample may lack: their rows would be refused
KNOWN: Final = (
    "year", "month", "day", "hour", "minute", "sched_dep_time", "sched_arr_time", "dep_delay",
    "carrier", "origin", "dest", "distance",
)  # fmt: skip
TARGET: Final = "arr_delay"
QUESTION: Final = "How many minutes late will a flight that has left arrive?"
TEXTS: Final = ("carrier", "origin", "dest")
PARAMETERS: Final[dict[str, Any]] = {
    "target": TARGET,
    "time_column": "scheduled",
    "time_parts": {name: name for name in ("year", "month", "day", "hour", "minute")},
    "train_until": "2013-08-01T00:00:00",
    "decide_until": "2013-11-01T00:00:00",
    "exclude": ["year", "air_time"],
    "search_trials": 10,
    "max_worse_slices": 9,
    "max_psi": 1.0,
    "shadow_predictions": 50,
    "canary_predictions": 200,
    "canary_share": 0.5,
    "canary_hours": 0,
    "serving_predictions": 250,
}
COSTS: Final[dict[str, Any]] = {"unit_cost": 4.0}
FORMS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("frame", "brief"): {
        **{name: value for name, value in script.BRIEF.items() if name != "base_rate"},
        "question": QUESTION,
        "metric": "mae",
        "target_value": 15.0,
        "costs": COSTS,
        "error_now": 16.0,
    },
    ("source", "contract"): {
        **script.CONTRACT,
        "declarations": {"air_time": {"available": "after"}, TARGET: {"available": "after"}},
    },
    ("explore", "report"): {
        **script.ITEMS["explore", "report"],
        "slices": ["origin"],
        "sensitive": ["carrier"],
    },
    script.CHOICE: {"columns": [], "reason": "Everything known when the flight leaves."},
}
WATCH: Final[dict[str, Any]] = {"metric": "mae", "costs": COSTS, "ignore": ["month", "day"]}


class ArrivalPlay(QuickPlay):
    """The seven people with the answers that fit arrivals; everything else as in the demo."""

    def form(self, key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
        """Return what is different here, or what the script says."""
        return FORMS.get(key) or super().form(key, round=round)


class Arrivals(Caller):
    """Reports how many minutes late each flight was."""

    def call(self, rows: int = FEW) -> str:
        """Ask about the next few flights."""
        return super().call(rows)

    def labels(self, *, until: str) -> list[list[dict[str, Any]]]:
        """Return the arrivals of the flights asked about, in batches, each once."""
        known = [
            {"key": flight.key, "value": flight.row[TARGET]}
            for flight in self.flights[self.labelled : self.asked]
            if flight.row[TARGET] is not None
        ]
        self.labelled = self.asked
        return [known[at : at + LABEL_BATCH] for at in range(0, len(known), LABEL_BATCH)]


def sample() -> list[Row]:
    """The flights that left and arrived."""
    rows = _flights()
    header = next(rows)
    month = header.index("month")
    kept = (row for place, row in enumerate(rows) if place % _every(int(row[month])) == 0)
    found = (dict(zip(header, row, strict=True)) for row in kept)
    return [row for row in found if row[TARGET] not in ("", "NA")]


def _every(month: int) -> int:
    return LATER_EVERY if month == LATER_MONTH else KNOWN_EVERY


def as_csv(rows: list[Row]) -> bytes:
    """The flights before November, one a line."""
    sink = io.StringIO()
    writer = csv.DictWriter(sink, (*KNOWN, "air_time", TARGET), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(row for row in rows if int(row["month"]) < LATER_MONTH)
    return sink.getvalue().encode()


def later(rows: list[Row]) -> list[Flight]:
    """November's flights, by schedule."""
    late = [row for row in rows if int(row["month"]) == LATER_MONTH]
    called = [row for row in late if row["carrier"] not in SMALL]
    found = [_as_flight(number, row) for number, row in enumerate(called)]
    return sorted(found, key=lambda flight: (flight.scheduled, flight.key))


def _as_flight(number: int, row: Row) -> Flight:
    values: dict[str, str | float | None] = {
        name: row[name] if name in TEXTS else float(row[name]) for name in (*KNOWN, TARGET)
    }
    scheduled = (
        f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"
        f"T{int(row['hour']):02}:{int(row['minute']):02}:00"
    )
    values["scheduled"] = scheduled
    return Flight(key=str(number), scheduled=scheduled, row=values, late=None)
