"""A small good blueprint to break, and the names around it."""

from typing import Any

from pipelines.blueprints.lint import lint
from pipelines.blueprints.parse import parse
from pipelines.blueprints.problems import Problem
from pipelines.operations.contract import Param, Port, Spec

Body = dict[str, Any]

PERSONAS = ("BA", "DE", "DS", "MLR", "MLE", "SWE", "OPS")
READ = Spec(
    name="read",
    version=1,
    summary="Read",
    inputs=(Port("files", "csv", many=True, accepts=("parquet",)),),
    outputs=(Port("table", "parquet"), Port("note", "json")),
    params=(Param("target", "str", required=True), Param("rows", "int", 10, minimum=1)),
)
FIT = Spec(
    name="fit",
    version=1,
    summary="Fit",
    inputs=(Port("table", "parquet"), Port("hint", "json", optional=True)),
    outputs=(Port("model", "skops"),),
    params=(
        Param("costs", "map", {}),
        Param("rate", "float", 0.1, minimum=0, maximum=1),
        Param("columns", "list", required=True),
    ),
)
OPERATIONS = {spec.name: spec for spec in (READ, FIT)}
CHECKS = ("good_enough", "loads")
EFFECTS = ("register",)
FEEDS = ("feed_me",)


def good() -> Body:
    """Three stages in a row, with everything a blueprint can have, and no problem."""
    return {
        "key": "good",
        "title": "Good",
        "inputs": [{"key": "tables", "media": ["csv", "parquet"], "many": True}],
        "parameters": [{"key": "target", "kind": "str", "required": True}],
        "stages": [_frame(), _source(), _tune()],
    }


def _frame() -> Body:
    brief = {
        "key": "brief",
        "kind": "form",
        "fields": [
            {"key": "costs", "kind": "map", "required": True, "choices": ["miss", "alarm"]},
            {"key": "keep", "kind": "columns", "required": True},
            {"key": "mood", "kind": "choice", "choices": ["calm", "wild"], "default": "calm"},
        ],
    }
    return {"key": "frame", "persona": "BA", "items": [brief]}


def _source() -> Body:
    read = {
        "key": "read",
        "operation": "read",
        "inputs": {"files": "run.tables"},
        "params": {"target": {"ref": "run.target"}, "rows": 5},
    }
    hand_off = {
        "steps": [
            {
                "key": "again",
                "operation": "read",
                "inputs": dict(read["inputs"]),
                "params": dict(read["params"]),
            }
        ],
        "contract": [{"name": "loads", "params": {"step": "source.again"}}],
        "checklist": [{"key": "rows", "label": "Rows", "value": "facts.source.read.rows"}],
    }
    return {
        "key": "source",
        "persona": "DE",
        "needs": ["frame"],
        "steps": [read],
        "hand_off": hand_off,
    }


def _tune() -> Body:
    fit = {
        "key": "fit",
        "operation": "fit",
        "inputs": {"table": "source.read.table", "hint": "feed.feed_me"},
        "params": {
            "costs": {"ref": "item.frame.brief.costs"},
            "columns": {"ref": "item.frame.brief.keep"},
            "rate": 0.5,
        },
        "effect": "register",
    }
    look = {
        "key": "look",
        "kind": "review",
        "after": ["fit"],
        "fields": [{"key": "note", "suggest": "facts.tune.fit.notes"}],
    }
    gate = {
        "checks": [{"name": "good_enough", "params": {"step": "tune.fit"}}],
        "rules": [{"persona": "DS", "min": 1}],
        "send_back_to": ["tune", "source"],
        "when": "facts.tune.fit.alerts > 0",
        "due": "P1D",
        "expires": "P2D",
    }
    return {
        "key": "tune",
        "persona": "MLR",
        "needs": ["source"],
        "when": "run.target != 'nothing'",
        "steps": [fit],
        "items": [look],
        "gate": gate,
    }


def problems_of(body: Body, people: dict[str, int] | None = None) -> list[Problem]:
    """What lint says about a body that parses."""
    return lint(
        parse(body),
        personas=PERSONAS,
        operations=OPERATIONS,
        checks=CHECKS,
        effects=EFFECTS,
        feeds=FEEDS,
        people=people,
    )
