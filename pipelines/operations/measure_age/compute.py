"""How old something is. The clock is an input, so the same inputs give the same age."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.tables import read_document, write_document

DAY = 86_400


def run(context: Context) -> Outcome:
    """The age in days; None where the report names no time. Raises OperationError."""
    report = read_document(context.inputs["report"])
    moment = read_document(context.inputs["moment"]).get("now")
    now = _time(moment)
    if now is None:
        raise OperationError(
            "no_moment", f"the moment {moment!r} is no time",
            field="moment", value=moment, rule="is ISO 8601",
        )  # fmt: skip
    newest = _at(report, context.text("newest"))
    then = _time(newest)
    limit = _at(report, context.text("limit"))
    facts: dict[str, Json] = {
        "freshness": {
            "time_column": _at(report, context.text("column")),
            "newest": newest,
            "as_of": now.isoformat(),
            "age_days": None if then is None else finite((now - then).total_seconds() / DAY, 4),
            "max_age_days": limit if isinstance(limit, int | float) else None,
        }
    }
    context.progress(1.0, "age measured")
    return Outcome({"age": write_document(context.output("age"), facts)}, facts)


def _at(document: Mapping[str, Json], path: str) -> Json:
    """The value at a dotted path; None where there is none."""
    found: Json = dict(document)
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _time(value: Json) -> datetime | None:
    """A moment; one without a zone is taken for UTC, which errs by at most 14 hours."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
