"""What the seven people say and do in the play: forms they fill in, verdicts they give.

The mistake is real: `air_time` is known only after landing. Alone it says nothing (AUC about .50),
so the leakage scan cannot see it; inside the model it lifts the AUC from about .68 to .73.
"""

from typing import Any, Final

QUESTION: Final = "Which flights will arrive more than 15 minutes late?"
TITLE: Final = "Late flights"
BLUEPRINT: Final = "tabular-classification"
CHOICE: Final = ("features", "choose_features")
UNAVAILABLE: Final = "features_available"
SELF_APPROVER: Final = "DS"  # tries, once, to approve the stage that they own
ANSWER: Final = "Walked through together by giver and taker."

PARAMETERS: Final[dict[str, Any]] = {
    "base": "flights",
    "target": "late",
    "target_rule": {"name": "late", "column": "arr_delay", "op": ">", "value": 15},
    "time_column": "scheduled",
    "time_parts": {
        "year": "year",
        "month": "month",
        "day": "day",
        "hour": "hour",
        "minute": "minute",
    },
    "train_until": "2013-09-01T00:00:00",
    "decide_until": "2013-11-01T00:00:00",
    "exclude": ["arr_delay", "arr_time", "dep_delay", "dep_time", "time_hour"],
    "search_trials": 10,
    # Set before anything is learned: the desk ranks flights, and autumn is calmer than summer, so
    # scores may run high; the groups it is worse for are named on the model card.
    "max_ece": 0.08,
    "max_worse_slices": 5,
    "shadow_predictions": 500,
    "canary_predictions": 1000,
    "canary_share": 0.25,
    "serving_predictions": 3000,
}

BEFORE: Final = [
    "month",
    "day",
    "hour",
    "minute",
    "sched_dep_time",
    "sched_arr_time",
    "carrier",
    "origin",
    "dest",
    "distance",
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "precip",
    "pressure",
    "visib",
    "plane_year",
    "plane_manufacturer",
    "plane_engines",
    "plane_seats",
    "plane_engine",
]
AFTER: Final = ["air_time", "arr_delay", "arr_time", "dep_delay", "dep_time"]
FIRST_CHOICE: Final = [*BEFORE, "air_time"]

BRIEF: Final[dict[str, Any]] = {
    "question": QUESTION,
    "acts": "The airport's passenger desk: it holds connecting flights and rebooks ahead of a late"
    " arrival.",
    "purpose": "advice",
    "kpi_name": "missed connections per 1,000 passengers",
    "kpi_now": 14.0,
    "kpi_target": 10.0,
    "metric": "roc_auc",
    "target_value": 0.62,
    "costs": {"cost_fp": 90.0, "cost_fn": 0.0, "benefit_tp": 420.0},
    "currency": "USD",
    "volume": 920,
    "base_rate": 0.24,
    "running_cost": 40_000,
    "constraint": "An answer within 100 ms; no passenger data.",
    "latency_ms": 100,
    "fallback": "Treat the flight as on time, as the desk does today.",
    "date_needed": "2013-11-01",
    "data_needed": "Scheduled flights with weather, plane and airline; actual arrival.",
    "kill_criterion": "Fewer than 40 of 100 flagged flights are late over a whole month.",
}

CONTRACT: Final[dict[str, Any]] = {
    "declarations": {name: {"available": "after"} for name in AFTER},
    "default_available": "before",
    "origin": "US Bureau of Transportation Statistics, flights out of New York in 2013; hourly"
    " weather of the three airports; plane register of the FAA.",
    "rights": "Public domain (CC0 in the package that carries it); no personal data.",
    "refresh": "daily",
    "retention": "ten years",
    "contact": "data-desk@example.org",
    "gaps": "Cancelled and diverted flights have no arrival; some planes are not in the register.",
    "null_meaning": "Unknown, never zero: a missing plane year is a plane we do not know.",
    "signed": True,
}

ITEMS: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("frame", "brief"): BRIEF,
    ("frame", "go"): {
        "decision": "go",
        "reason": "At 240 late flights a day, two in five caught early pays for the desk.",
    },
    ("source", "contract"): CONTRACT,
    ("evaluate", "limits"): {
        "intended_use": "Advice to the passenger desk, before departure, for flights out of EWR,"
        " JFK and LGA.",
        "out_of_scope": "Other airports, cancelled flights, crew planning, compensation.",
        "caveats": "Trained on one year; knows no strikes and no storms but through the weather of"
        " the hour.",
        "factors": "Carrier, airport of departure, season, hour of the day.",
        "ethics": "A wrong alarm costs the desk a rebooking, and no passenger a flight: people"
        " decide.",
        "recommendations": "Rank flights by score; do not read a score as an exact share.",
        "contact": "kenji@example.org",
        "licence": "CC0-1.0",
        "understood": True,
    },
    ("operationalise", "interface"): {
        "entry_point": "POST /v1/models/late-flights/predict with rows, keys and event times.",
        "on_refusal": "Treat the flight as on time, and count it.",
    },
    ("register", "release"): {
        "changes": "The first version; before it, no flight was flagged.",
        "rollback_target": "the fallback (every flight on time)",
        "rollback_command": "POST /api/v1/models/late-flights/rollback",
    },
    ("deploy", "runbook"): {
        "on_call": "Priya Nair",
        "alert_route": "Inbox of DS and MLE; pager of the platform team",
        "rollback_command": "POST /api/v1/models/late-flights/rollback",
        "rollback_minutes": 1,
        "drill": True,
    },
    ("explore", "report"): {
        "represented": "Small carriers (HA, OO, YV) have few flights; night departures are rare.",
        "split_reason": "Forward in time: January to August train, September and October decide.",
        "suspects": "arr_delay, arr_time, dep_delay and dep_time tell the outcome; time_hour is the"
        " schedule in another time zone. All five are excluded.",
        "slices": ["carrier", "origin"],
    },
}
SERVE: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("serve", "consumers"): {
        "consumers": ["passenger desk EWR", "passenger desk JFK", "passenger desk LGA"],
        "volume": "some 920 flights a day",
        "override": "The desk may ignore any flag; it notes why.",
    },
    ("monitor", "diagnosis"): {
        "moved": "Colder and windier than the months it was judged on, since early November.",
        "effect": "More flights are late than in October; the desk holds more connections.",
        "response": "retrain",
    },
    ("monitor", "kpi"): {
        "kpi_now": 12.6,
        "comment": "Fewer missed connections than the 14 before, not yet the 10 we want.",
    },
}
ITEMS.update(SERVE)
CHOICES: Final = {
    1: {"columns": FIRST_CHOICE, "reason": "Everything that is not the outcome itself."},
    2: {
        "columns": BEFORE,
        "reason": "Without air_time: it is known only after landing, as the data contract says.",
    },
}
# The watch compares November with the autumn it was judged on; the calendar is expected to move.
WATCH: Final[dict[str, Any]] = {
    "metric": "roc_auc",
    "positive": "true",
    "costs": {**BRIEF["costs"], "currency": BRIEF["currency"]},
    "ignore": ["month", "day"],
}
RETURN_REASON: Final = (
    "The model uses air_time, which nobody knows before the flight has landed. The availability"
    " check is right: take it out."
)
