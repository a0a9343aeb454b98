"""A small example of `review_anomalies`."""

from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.tables import write_document


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    cases: list[Json] = [{"case": f"c{number}", "score": 0.99} for number in range(5)]
    given = {"cases": write_document(folder / "cases.json", {"cases": cases})}
    return given, {"verdicts": {"c0": "anomaly", "c1": "anomaly", "c2": "ordinary"}}
