"""Rules about an operation's declaration and code: nothing is run."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipelines.operations.conformance.running import Operation
from pipelines.operations.contract import Json, ParamErrors, Spec, clean_params

FORBIDDEN: Final = ("django", "celery", "redis", "requests", "httpx", "socket", "psycopg2")
CLOCKS: Final = (
    *("time.time", "datetime.now", "datetime.utcnow", "date.today", "Timestamp.now"),
    "perf_counter_ns",
)


def declaration(operation: Operation) -> Iterator[str]:
    """The spec says what it must, and every port and parameter has a help text."""
    spec = operation.spec
    for name in ("summary", "outputs"):
        if not getattr(spec, name):
            yield f"SPEC.{name} is empty"
    for name in ("version", "max_runtime", "max_memory", "max_processes", "max_file_size"):
        if getattr(spec, name) < 1:
            yield f"SPEC.{name} must be 1 or more"
    if spec.connects and (spec.cacheable or "connection" not in {p.name for p in spec.params}):
        yield "what connects is not cacheable, and has a param `connection`"
    yield from _names(spec)


def _names(spec: Spec) -> Iterator[str]:
    for what, group in (("input", spec.inputs), ("output", spec.outputs), ("param", spec.params)):
        names = [one.name for one in group]
        if len(names) != len(set(names)):
            yield f"two {what}s have one name"
        for one in group:
            if not one.help:
                yield f"{what} {one.name} has no help"
            if not re.fullmatch(r"[a-z][a-z0-9_]*", one.name):
                yield f"{what} {one.name!r} must be small letters, digits and _"


def defaults(operation: Operation) -> Iterator[str]:
    """Parameters that are left out get defaults that the spec itself allows."""
    shaped: dict[str, Json] = {"int": 1, "float": 1, "bool": True, "list": ["x"], "map": {"x": 1}}
    given: dict[str, Json] = {
        param.name: param.choices[0] if param.choices else shaped.get(param.kind, "x")
        for param in operation.spec.params
        if param.required
    }
    try:
        clean_params(operation.spec, given)
    except ParamErrors as error:
        yield str(error)


def purity(operation: Operation) -> Iterator[str]:
    """The code is documented, and names no clock, no network, no database."""
    if not inspect.getdoc(operation.run):
        yield "run has no docstring"
    if list(inspect.signature(operation.run).parameters) != ["context"]:
        yield "run takes one argument, context"
    found = importlib.util.find_spec(f"{operation.module}.compute")
    if found is None or found.origin is None:
        yield "compute.py is not to be found"
        return
    source = Path(found.origin).read_text(encoding="utf-8")
    tree = ast.parse(source)
    if not ast.get_docstring(tree):
        yield "compute.py has no docstring"
    for name in sorted(_imported(tree)):
        if name.split(".")[0] in FORBIDDEN:
            yield f"compute.py imports {name}"
    yield from (f"compute.py reads the clock: {clock}" for clock in CLOCKS if clock in source)


def _imported(tree: ast.AST) -> set[str]:
    return {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def row_order(operation: Operation) -> Iterator[str]:
    """What reads tables says whether the order of their rows matters."""
    tables = [p.name for p in operation.spec.inputs if {p.media, *p.accepts} & {"csv", "parquet"}]
    if tables and operation.spec.row_order not in ("free", "used"):
        yield f"it reads tables ({', '.join(tables)}): SPEC.row_order must be 'free' or 'used'"
