"""The facts of a rollback drill out of its record; the drill itself is the registry's."""

from collections.abc import Mapping

from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.tables import read_document, write_document

NEEDED = ("at", "to", "forward", "back", "drill_seconds")


def run(context: Context) -> Outcome:
    """Who answered after each switch; raises OperationError where the record is not whole."""
    record = read_document(context.inputs["record"])
    absent = [name for name in NEEDED if name not in record]
    if absent:
        raise OperationError(
            "drill_not_whole", f"the record of the drill lacks {', '.join(absent)}",
            field="record", value=", ".join(absent), rule=f"has {', '.join(NEEDED)}",
        )  # fmt: skip
    forward, back = _part(record, "forward"), _part(record, "back")
    facts: dict[str, Json] = {
        **record,
        "switched": _holds(forward, record["to"]),
        "came_back": _holds(back, record.get("from")) and record.get("untouched") is True,
    }
    context.progress(1.0, "drill read")
    report = write_document(context.output("report"), _stable(facts))
    return Outcome({"report": report}, facts)


def _part(record: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def _holds(part: Mapping[str, Json], expected: Json) -> bool:
    """Whether all that was asked was answered by the version expected, as it was packaged."""
    asked, right = part.get("asked"), part.get("right")
    return isinstance(asked, int) and asked > 0 and right == asked and part.get("by") == expected


def _stable(facts: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name: _stable(value) if isinstance(value, dict) else value
        for name, value in facts.items()
        if not name.endswith("_seconds")
    }
