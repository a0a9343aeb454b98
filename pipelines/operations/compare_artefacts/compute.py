"""Compare two files: first byte by byte, then by what they hold."""

import filecmp
from zipfile import BadZipFile

from pipelines.operations.compare_artefacts.files import compare_files
from pipelines.operations.compare_artefacts.numbers import Difference, Tolerance
from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.tables import write_document


def run(context: Context) -> Outcome:
    """Say equal, within or different; raises OperationError where one cannot be read."""
    kept, again = context.inputs["kept"], context.inputs["again"]
    equal = filecmp.cmp(kept, again, shallow=False)
    found = Difference(compared=1) if equal else _looked_at(context)
    facts: dict[str, Json] = {
        # Other bytes that hold the very same values are within tolerance, never equal.
        "verdict": "equal" if equal else "within" if found.verdict == "equal" else found.verdict,
        "compared": found.compared,
        "differing": found.differing,
        "largest_share": found.largest,
        "beyond": found.many,
        "first": list[Json](found.beyond),
        "surroundings": list[Json](found.surroundings),
        "relative": context.number("relative"),
        "se_share": context.number("se_share"),
    }
    context.progress(1.0, str(facts["verdict"]))
    return Outcome({"report": write_document(context.output("report"), facts)}, facts)


def _looked_at(context: Context) -> Difference:
    tolerance = Tolerance(context.number("relative"), context.number("se_share"))
    try:
        return compare_files(
            context.inputs["kept"],
            context.inputs["again"],
            media=context.text("media"),
            tolerance=tolerance,
        )
    except (ValueError, OSError, KeyError, BadZipFile) as problem:
        raise OperationError(
            "not_comparable", f"they cannot be read as {context.text('media')}: {problem}",
            field="media", value=context.text("media"), rule="both are what they are said to be",
        ) from problem  # fmt: skip
