"""Precision at k from reviewed cases."""

from __future__ import annotations

from pipelines.operations.anomalies.alerts import share_of
from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.tables import read_document, write_document

WORDS = ("anomaly", "ordinary", "unclear")


def run(context: Context) -> Outcome:
    """Count the verdicts; raises OperationError for a verdict on no case, or of another word.

    An unclear case counts as no anomaly: precision is what reviewers could confirm.
    """
    listed = read_document(context.inputs["cases"]).get("cases")
    cases = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    verdicts = context.mapping("verdicts")
    _refuse(verdicts, {str(row.get("case")) for row in cases})
    top = cases[: context.whole("k")]
    rows: list[dict[str, Json]] = [
        {**row, "verdict": verdicts.get(str(row.get("case")))} for row in top
    ]
    said = [row for row in rows if row["verdict"] in WORDS]
    hits = sum(row["verdict"] == "anomaly" for row in said)
    facts: dict[str, Json] = {
        "k": len(top),
        "reviewed": len(said),
        "anomalies": hits,
        "unclear": sum(row["verdict"] == "unclear" for row in said),
        "precision_at_k": share_of(hits, len(said)),
        "cases": list[Json](rows),
    }
    context.progress(1.0, f"{len(said)} cases reviewed")
    return Outcome({"reviewed": write_document(context.output("reviewed"), facts)}, facts)


def _refuse(verdicts: dict[str, Json], known: set[str]) -> None:
    for case, word in verdicts.items():
        if case not in known or word not in WORDS:
            raise OperationError(
                "bad_verdict",
                f"verdicts has {word!r} for {case!r}",
                field="verdicts",
                value=case,
                rule=f"one of {', '.join(WORDS)} for each case of the list",
            )
