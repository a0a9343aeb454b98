"""Learn a detector again in a clean process and compare."""

from pipelines.operations.clean import run_clean
from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.tables import write_document

SECONDS = 540


def run(context: Context) -> Outcome:
    """Whether both give the same scores; raises OperationError where learning fails."""
    context.progress(0.05, "learning again in a clean process")
    request: dict[str, Json] = {
        name: str(context.inputs[name].resolve()) for name in ("candidate", "train", "holdout")
    }
    request |= {"folder": str(context.folder.resolve()), "rows": context.whole("rows")}
    facts = run_clean("pipelines.operations.refit_anomalies.probe", request, seconds=SECONDS)
    stable = {key: value for key, value in facts.items() if not key.endswith("_seconds")}
    report = write_document(context.output("report"), stable)
    context.progress(1.0, "compared")
    return Outcome({"report": report}, facts)
