"""A small example of `write_card`."""

from pathlib import Path

from pipelines.operations.contract import Context, Json, clean_params
from pipelines.operations.evaluate_model.compute import run as evaluate
from pipelines.operations.evaluate_model.spec import SPEC
from pipelines.operations.packages.example import write_package


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    made = write_package(folder)
    place = folder / "evaluated"
    place.mkdir()
    given = {"candidate": made.model, "holdout": made.holdout}
    outcome = evaluate(
        Context(spec=SPEC, folder=place, inputs=given, params=clean_params(SPEC, {"samples": 50}))
    )
    statements: Json = {
        "intended_use": "Rebook tight connections two hours ahead",
        "out_of_scope": "Pay of crews",
        "ethics": "No personal data",
        "licence": "CC0-1.0",
    }
    inputs = {"package": made.package, "evaluation": outcome.outputs["evaluation"]}
    return inputs, {"title": "Late journeys", "question": "Late?", "statements": statements}
