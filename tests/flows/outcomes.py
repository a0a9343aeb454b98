"""A use case with three answers: will a flight that has left arrive early, on time or late?

The flights, days and people of `arrivals`; only the question is another, and the answer is one of
three classes whose confusions cost differently. Rows that are too often answered wrongly are left
to people.
"""

from collections.abc import Mapping
from typing import Any, Final

from portal.demo import script
from portal.demo.flights import Flight, Row
from portal.demo.traffic import LABEL_BATCH
from tests.flows import arrivals

TARGET: Final = "outcome"
CLASSES: Final = ("early", "late", "on time")
QUESTION: Final = "Will a flight that has left arrive early, on time or late?"
EARLY, LATE = -15.0, 15.0  # minutes
PARAMETERS: Final[dict[str, Any]] = {
    **arrivals.PARAMETERS,
    "target": TARGET,
    "max_ece": 0.1,
    "leave_to_people": True,
}
COSTS: Final[dict[str, Any]] = {"late -> early": 8.0, "late -> on time": 3.0, "other": 1.0}
FORMS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("frame", "brief"): {
        **{k: v for k, v in script.BRIEF.items() if k not in ("base_rate", "costs")},
        "question": QUESTION,
        "metric": "log_loss",
        "target_value": 1.0,
        "class_costs": COSTS,
        "error_now": 0.4,
    },
    ("source", "contract"): {
        **script.CONTRACT,
        "declarations": {"air_time": {"available": "after"}, TARGET: {"available": "after"}},
    },
    ("explore", "report"): {
        **script.ITEMS["explore", "report"], "slices": ["origin"], "sensitive": ["origin"],
    },
    script.CHOICE: {"columns": [], "reason": "Everything known when the flight leaves."},
}  # fmt: skip
WATCH: Final[dict[str, Any]] = {
    "metric": "log_loss", "class_costs": COSTS, "ignore": ["month", "day"],
}  # fmt: skip


class OutcomePlay(arrivals.ArrivalPlay):
    """The seven people with the answers that fit three classes."""

    def form(self, key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
        """Return what is different here, or what the script says."""
        return FORMS.get(key) or super().form(key, round=round)


class Outcomes(arrivals.Arrivals):
    """Reports which of the three came out."""

    def labels(self, *, until: str) -> list[list[dict[str, Any]]]:
        """Return the outcomes of the flights asked about, in batches, each once."""
        known = [
            {"key": flight.key, "value": outcome(str(flight.row[arrivals.TARGET]))}
            for flight in self.flights[self.labelled : self.asked]
            if flight.row[arrivals.TARGET] is not None
        ]
        self.labelled = self.asked
        return [known[at : at + LABEL_BATCH] for at in range(0, len(known), LABEL_BATCH)]


def outcome(minutes: str) -> str:
    """The class of so many minutes."""
    value = float(minutes)
    if value > LATE:
        return "late"
    return "on time" if value > EARLY else "early"


def as_csv(rows: list[Row]) -> bytes:
    """The flights before November with their outcome in place of the minutes."""
    told = [{**row, arrivals.TARGET: outcome(row[arrivals.TARGET])} for row in rows]
    head, _, rest = arrivals.as_csv(told).partition(b"\r\n")
    return head.replace(arrivals.TARGET.encode(), TARGET.encode()) + b"\r\n" + rest


def later(rows: list[Row]) -> list[Flight]:
    """November's flights, by schedule."""
    return arrivals.later(rows)
