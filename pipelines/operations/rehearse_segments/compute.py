"""Try a package of segments in a clean process."""

from pipelines.operations.clean import run_clean
from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.tables import write_document

SECONDS = 280


def run(context: Context) -> Outcome:
    """Facts as `load_test` gives them; raises OperationError where the process itself fails."""
    context.progress(0.1, "opening the package in a clean process")
    package = context.inputs["package"]
    request: dict[str, Json] = {
        "package": str(package.resolve()),
        "rows": str(context.inputs["rows"].resolve()),
        "count": context.whole("rows"),
        "singles": context.whole("singles"),
        "folder": str(context.folder.resolve()),
    }
    facts = run_clean("pipelines.operations.rehearse_segments.probe", request, seconds=SECONDS)
    facts["bytes"] = package.stat().st_size
    stable = {key: value for key, value in facts.items() if not key.endswith("_seconds")}
    report = write_document(context.output("report"), stable)
    context.progress(1.0, "tried", context.whole("rows"))
    return Outcome({"report": report}, facts)
