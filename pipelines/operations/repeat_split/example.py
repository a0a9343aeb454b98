"""A small example of `repeat_split`: a split by time."""

from pathlib import Path

from pipelines.operations.contract import Context, Json, clean_params
from pipelines.operations.split_data.compute import run as split
from pipelines.operations.split_data.example import example as to_split
from pipelines.operations.split_data.spec import SPEC as SPLIT


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    inputs, params = to_split(folder)
    made = split(
        Context(
            spec=SPLIT, folder=folder, inputs=inputs, params=clean_params(SPLIT, params), seed=3
        )
    )
    return {"table": inputs["table"], **made.outputs}, {}
