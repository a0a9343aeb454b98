"""Make a split again in a clean process and compare."""

from pipelines.operations.clean import run_clean
from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.tables import write_document

SECONDS = 280
PORTS = ("table", "split", "train", "holdout")


def run(context: Context) -> Outcome:
    """Whether recipe and seed give the same parts; raises OperationError where it fails."""
    context.progress(0.1, "splitting again in a clean process")
    request: dict[str, Json] = {name: str(context.inputs[name].resolve()) for name in PORTS}
    request["folder"] = str(context.folder.resolve())
    facts = run_clean("pipelines.operations.repeat_split.probe", request, seconds=SECONDS)
    report = write_document(context.output("report"), facts)
    context.progress(1.0, "compared")
    return Outcome({"report": report}, facts)
