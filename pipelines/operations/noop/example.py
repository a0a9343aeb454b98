"""A small example of `noop`."""

from pathlib import Path

from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    return {}, {"rows": 10, "message": "hello"}
