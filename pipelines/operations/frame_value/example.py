"""A small example of `frame_value`."""

from pathlib import Path

from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    brief: dict[str, Json] = {
        "question": "Which flights will arrive more than 15 minutes late?",
        "acts": "The desk rebooks tight connections two hours ahead",
        "kpi_name": "missed connections per 1,000 passengers",
        "kpi_now": 21.0,
        "kpi_target": 17.0,
        "metric": "PR-AUC",
        "costs": {"fp": 120, "fn": 900, "tp": 700, "currency": "USD"},
        "volume": 900,
        "base_rate": 0.24,
        "constraint": "answer within 200 ms",
        "kill_criterion": "saves less than 100,000 a year after six months",
        "data_needed": "schedule, weather, planes",
        "purpose": "advice",
    }
    return {}, {"brief": brief}
