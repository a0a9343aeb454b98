"""The inspection of an upload as an operation."""

from pipelines.operations.contract import Context, Outcome
from pipelines.operations.ingest.inspect import inspect
from pipelines.operations.ingest.sources import ReadOptions
from pipelines.operations.tables import write_document


def run(context: Context) -> Outcome:
    """Look at the upload; a bad file is an answer (usable: false), never an error."""
    options = ReadOptions(delimiter=context.text("delimiter"), max_bytes=context.whole("max_bytes"))
    found = inspect(context.inputs["upload"], context.text("name"), options)
    facts = found.as_json()
    context.progress(1.0, "looked at every row", found.rows)
    path = write_document(context.output("inspection"), facts)
    return Outcome(outputs={"inspection": path}, facts=facts)
