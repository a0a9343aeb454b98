"""Try a package in a clean process."""

from pipelines.operations.clean import run_clean
from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.tables import write_document

SECONDS = 240


def run(context: Context) -> Outcome:
    """Facts of the clean process; raises OperationError where that process itself fails."""
    context.progress(0.1, "loading the package in a clean process")
    package = context.inputs["package"]
    request: dict[str, Json] = {
        "package": str(package.resolve()),
        "holdout": str(context.inputs["holdout"].resolve()),
        "rows": context.whole("rows"),
        "singles": context.whole("singles"),
    }
    facts = run_clean("pipelines.operations.load_test.probe", request, seconds=SECONDS)
    facts["bytes"] = package.stat().st_size
    stable = {key: value for key, value in facts.items() if not key.endswith("_seconds")}
    report = write_document(context.output("report"), stable)
    context.progress(1.0, "tried", context.whole("rows"))
    return Outcome({"report": report}, facts)
