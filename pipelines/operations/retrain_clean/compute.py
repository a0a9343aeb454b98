"""Train a candidate again in a clean process and compare."""

from pipelines.operations.clean import run_clean
from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.tables import write_document

SECONDS = 840


def run(context: Context) -> Outcome:
    """Whether both models give the same scores; raises OperationError where training fails."""
    context.progress(0.05, "training again in a clean process")
    request: dict[str, Json] = {
        name: str(context.inputs[name].resolve()) for name in ("candidate", "train", "holdout")
    }
    request |= {"folder": str(context.folder.resolve()), "rows": context.whole("rows")}
    facts = run_clean("pipelines.operations.retrain_clean.probe", request, seconds=SECONDS)
    stable = {key: value for key, value in facts.items() if not key.endswith("_seconds")}
    report = write_document(context.output("report"), stable)
    context.progress(1.0, "compared")
    return Outcome({"report": report}, facts)
