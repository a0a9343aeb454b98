"""A pack for the documents' tests, with figures that are easy to tell apart."""

from dataclasses import replace
from typing import Any

from pipelines.documents.pack import (
    Done,
    Judgement,
    Output,
    Pack,
    Part,
    Passing,
    Readiness,
    Release,
    Review,
    Ruling,
    Said,
)

DIGEST = {name: letter * 64 for name, letter in (("table", "a"), ("model", "b"), ("package", "c"))}
FACTS: dict[str, dict[str, Any]] = {
    "run": {"parameters": {}, "kind": "main"},
    "source.ingest": {"rows": 1797, "columns": 65, "column_names": ["a", "b"], "joins": []},
    "explore.split": {
        "rule": "stratified",
        "parts": {"train": {"rows": 1168, "positive_share": 0.5}, "holdout": {"rows": 629}},
        "overlap_rows": 0,
        "reproducible": True,
    },
    "evaluate.evaluate": {
        "rows": 629,
        "positives": 317,
        "positive_share": 0.504,
        "target": "odd",
        "family": "boosting",
        "metrics": {"roc_auc": {"value": 0.991, "low": 0.985, "high": 0.998}},
        "confusion": {"flagged_share": 0.5, "precision": 0.98, "recall": 0.97},
        "threshold": 0.71,
        "calibration": {"error": 0.011},
        "interval": {"unit": "row", "samples": 300},
        "sentences": ["Of 100 rows, 50 are flagged."],
        "value": {"currency": "USD", "per_1000": {"value": 48171.7, "low": 44189, "high": 51911}},
    },
    "register.compare": {
        "metrics": [{"metric": "roc_auc", "challenger": 0.5}],
        "primary": "roc_auc",
    },
    "item.frame.brief": {"question": "Which digits are odd?", "volume": 2000, "costs": {"fp": 1}},
    "item.evaluate.limits": {"ethics": "Nobody is harmed.", "caveats": "Few rows."},
}
OPERATIONS = {
    "source.ingest": ("Read and join", "ingest", "table"),
    "explore.split": ("Split and freeze", "split_data", "train"),
    "evaluate.evaluate": ("Judge on unseen rows", "evaluate_model", "evaluation"),
    "register.compare": ("Hold it against the champion", "compare_champion", "comparison"),
}


def pack(**changes: Any) -> Pack:
    """A run that is nearly done."""
    made = Pack(
        run=7,
        label="Run 1",
        state="SUCCEEDED",
        use_case="Odd digits",
        use_case_key="odd-digits",
        question="Which digits are odd?",
        blueprint="Tabular classification v1",
        blueprint_digest="f" * 64,
        as_of="2026-01-02T03:04:05+00:00",
        inputs=(("tables", Output("digits", DIGEST["table"], "csv", 501654)),),
        facts=FACTS,
        stages=(
            Part("source", "S1", "Source", "", "DE", "DONE", 1, "Dmitri", 1),
            Part("evaluate", "S5", "Evaluate", "", "MLR", "DONE", 2, "Kenji", 2),
        ),
        steps=tuple(_steps()),
        items=(
            _said("item.frame.brief", "Use-case brief", "frame", "BA", "Amara", 31),
            _said("item.evaluate.limits", "Limits", "evaluate", "MLR", "Kenji", 32),
        ),
        checks=(
            _check("target_met", "pass", 1),
            _check("slices_hold", "fail", 2, blocking=False),
            _check("calibrated", "insufficient", 3),
        ),
        reviews=(
            Review(
                5, "evaluate", "APPROVED", "d" * 64,
                rulings=(Ruling("Sofia", ("DS",), "approve", "The evidence holds.", "2026-01-01"),),
            ),
        ),
        passings=(
            Passing(
                9, "H2", "Source", "DE", "Explore", "DS", "ACCEPTED", "Dmitri", "2026-01-01T10:00",
                "Sofia", "2026-01-01T11:00", checklist=(("Origin", "a registry"), ("Gaps", None)),
                package=(("ingest", Output("table", DIGEST["table"], "parquet", 10)),),
            ),
        ),
        releases=(Release("odd-digits", 1, "APPROVED", DIGEST["package"], 5),),
        readiness=Readiness(
            5.0, "strong", (("Data", 5.0, 7.0),), (("W1", "Imbalance", "clear", "fine"),)
        ),
    )  # fmt: skip
    return replace(made, **changes)


def _steps() -> list[Done]:
    return [
        Done(
            place, title, place.split(".")[0], operation, 1, 20 + number, 2, 2013,
            (Output(output, str(number) * 64, "json", 10),),
        )
        for number, (place, (title, operation, output)) in enumerate(OPERATIONS.items())
    ]  # fmt: skip


def _said(place: str, title: str, stage: str, persona: str, who: str, pk: int) -> Said:
    fields = tuple((key, key.title(), value) for key, value in FACTS[place].items())
    return Said(place, title, stage, "form", pk, persona, who, "2026-01-01T09:00", "e" * 64, fields)


def _check(name: str, verdict: str, pk: int, *, blocking: bool = True) -> Judgement:
    return Judgement(
        name, name.replace("_", " ").capitalize(), verdict, blocking, f"{name} was judged",
        "evaluate", "gate", 5, pk, value=0.9, threshold=0.8, comparison=">=", source="a convention",
    )  # fmt: skip
