"""What a statement can be signed for: the content of a run's current rounds, by name."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from personas.ledger import canonical
from pipelines.readiness.testdefs import BRIEF, CANDIDATE, CONTRACT, FEATURES, PACKAGE, TestDef
from pipelines.runs.models import Stage
from pipelines.runs.reviews import authors_of
from pipelines.runs.rows import Rows

# Which output of which operation is the content of that name; a kind of use case has one of them.
MADE_BY: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    CONTRACT: (("seal_contract", "contract"),),
    FEATURES: (("build_features", "features"), ("build_inputs", "features")),
    CANDIDATE: (
        ("select_candidate", "candidate"),
        ("select_clusters", "candidate"),
        ("select_anomalies", "candidate"),
    ),
    PACKAGE: (("package_model", "package"), ("pack_clusters", "package")),
}
BRIEF_HAS: Final = "kpi_target"  # the form in which the KPI is named


@dataclass(frozen=True)
class Content:
    """One content: its digest, and who made it as which persona."""

    digest: str
    persona: str
    authors: tuple[int, ...]


def contents_of(rows: Rows) -> dict[str, Content]:
    """Return the contents that the current rounds have; what is made anew just now is absent."""
    found: dict[str, Content] = {}
    for step in rows.with_results().steps.values():
        if step.result is None:
            continue
        for name, places in MADE_BY.items():
            for operation, port in places:
                output = step.result.outputs.get(port)
                if step.operation == operation and output is not None:
                    found[name] = _content(rows, step.stage, str(output["digest"]))
    for item in rows.items.values():
        if item.state == "COMPLETED" and BRIEF_HAS in item.data and item.data_digest:
            found[BRIEF] = _content(rows, item.stage, item.data_digest)
    return found


def _content(rows: Rows, stage: Stage, digest: str) -> Content:
    return Content(digest, stage.persona_id, tuple(authors_of(rows, stage)))


def subject_of(test: TestDef, contents: Mapping[str, Content]) -> dict[str, str]:
    """Return what a statement on this test is bound to now: digests by name; {} where nothing."""
    if test.needs not in contents:
        return {}
    return {name: contents[name].digest for name in test.signs if name in contents}


def subject_digest(digests: Mapping[str, str]) -> str:
    """Return the one digest (SHA-256) that stands for these."""
    return hashlib.sha256(canonical(dict(digests))).hexdigest()


def outdated(digests: Mapping[str, str], contents: Mapping[str, Content]) -> dict[str, str]:
    """Return the signed contents of which there is another one now: name to the new digest.

    What is being made anew counts for nothing yet, and voids nothing: it may come out the same.
    """
    return {
        name: contents[name].digest
        for name, digest in digests.items()
        if name in contents and contents[name].digest != digest
    }


def pending(digests: Mapping[str, str], contents: Mapping[str, Content]) -> list[str]:
    """Return the signed contents that there are none of just now."""
    return [name for name in digests if name not in contents]
