"""Requests for help across personas, outside of the order of the stages (hand-off H9)."""

from collections.abc import Mapping, Sequence
from typing import Final

from personas.errors import Conflict, DomainError
from pipelines.blueprints.spec import FieldDef, ItemDef
from pipelines.runs.models import Run, WorkItem
from pipelines.runs.rows import Part, Rows, stage_def

HELP: Final = "help"  # the kind of its work item
CODES: Final = {
    "too_complex": "this is too complex for a simple model",
    "data": "the data do not say what we need",
    "result": "what does this result mean",
    "interface": "how is this to be called, served or run",
    "other": "something else",
}
# What another persona cannot judge without: the data, and what a simple model achieves on them.
NEEDS_DATA_AND_BASELINE: Final = ("too_complex",)
TABLES: Final = ("csv", "parquet")
# The operations that say what something simple achieves, and which of their outputs does; where
# there is no target, that is the fixed rule among the detectors, or chance beside the segments.
BASELINES: Final[Mapping[str, tuple[str, ...]]] = {
    "score_baseline": (),
    "select_anomalies": ("comparison",),
    "judge_clusters": ("evaluation",),
}

FIELDS: Final = (
    FieldDef(
        "outcome",
        "What comes of it",
        "choice",
        required=True,
        choices=("solved", "advice", "needs a new round", "cannot help"),
    ),
    FieldDef("answer", "Your answer, in words the other persona uses", "longtext", required=True),
)


def definition_of(run: Run, item: WorkItem) -> ItemDef | None:
    """Return what an item asks for: of the blueprint, or of a request for help; else None."""
    if item.kind == HELP:
        return ItemDef(item.key, HELP, item.title, item.persona_id, fields=FIELDS)
    items = stage_def(run, item.stage.key).items
    return next((one for one in items if one.key == item.key), None)


def not_skippable(run: Run, item: WorkItem) -> DomainError | None:
    """Return why the item cannot be left out: its blueprint must allow that."""
    items = stage_def(run, item.stage.key).items
    if any(one.key == item.key and one.skippable for one in items):
        return None
    return Conflict("not_skippable", f"The blueprint asks for “{item.title}”.", state=item.state)


def data_of(rows: Rows) -> list[Part]:
    """Return the run's tables: what it was given, and what its current rounds made."""
    given = [part for parts in rows.run.inputs.values() for part in parts]
    return [part for part in (*given, *_made(rows)) if part["media"] in TABLES]


def baseline_of(rows: Rows) -> list[Part]:
    """Return what the current rounds found a simple model to achieve."""
    return [
        part for name, only in BASELINES.items() for part in _made(rows, operation=name, only=only)
    ]


def _made(rows: Rows, *, operation: str = "", only: Sequence[str] = ()) -> list[Part]:
    """What steps have made; of one operation where it is named, and only these of its outputs."""
    return [
        {
            "name": f"{step.stage.key}.{step.key}.{name}",
            "digest": str(output["digest"]),
            "media": str(output["media"]),
        }
        for step in rows.with_results().steps.values()
        if step.result is not None and operation in ("", step.operation)
        for name, output in step.result.outputs.items()
        if not only or name in only
    ]


def request_problems(code: str, attached: Mapping[str, Sequence[Part]]) -> list[str]:
    """Return what a request of this kind lacks; its acceptance test."""
    if code not in NEEDS_DATA_AND_BASELINE:
        return []
    return [
        f"a request because {CODES[code]!r} needs {what} attached, and the run has none yet"
        for what, parts in attached.items()
        if not parts
    ]
