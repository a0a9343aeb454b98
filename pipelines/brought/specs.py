"""A brought spec as data, and what Baton does not let a brought operation ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final

from pipelines.operations.contract import EXTENSIONS, MEMORY_FROM, QUEUES, Json, Param, Port, Spec

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
KINDS: Final = ("int", "float", "str", "bool", "list", "map")
ROW_ORDERS: Final = ("free", "used")
TABLES: Final = ("csv", "parquet")
WHOLE: Final[Mapping[str, tuple[int, int]]] = {  # own: limits of limits, (least, most)
    "version": (1, 32_767),
    "max_runtime": (1, 7 * 86_400),
    "max_memory": (64, 1 << 20),
    "max_processes": (1, 256),
    "max_file_size": (1, 1 << 20),
    "max_attempts": (1, 20),
    "max_wait": (1, 365 * 86_400),
}


class BadSpec(Exception):
    """What was read is not the shape of a Spec."""


def from_json(said: Json) -> Spec:
    """Build the Spec of what a child read; raises BadSpec."""
    given = _mapping(said, "SPEC")
    parts: dict[str, Any] = dict(given)
    parts["inputs"] = tuple(_port(one) for one in _list(given.get("inputs"), "inputs"))
    parts["outputs"] = tuple(_port(one) for one in _list(given.get("outputs"), "outputs"))
    parts["params"] = tuple(_param(one) for one in _list(given.get("params"), "params"))
    return Spec(**_typed(Spec, parts))


def _port(said: Json) -> Port:
    given: dict[str, Any] = dict(_mapping(said, "a port"))
    given["accepts"] = tuple(_list(given.get("accepts"), "accepts"))
    return Port(**_typed(Port, given))


def _param(said: Json) -> Param:
    given: dict[str, Any] = dict(_mapping(said, "a parameter"))
    given["choices"] = tuple(_list(given.get("choices"), "choices"))
    return Param(**_typed(Param, given))


_PLAIN: Final = {"str": str, "int": int, "bool": bool}


def _typed(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse names that this version of the contract lacks, and values of another type."""
    known = {one.name: one for one in fields(kind)}
    for name in given:
        if name not in known:
            raise BadSpec(f"{kind.__name__} has no field {name!r}")
    for name, one in known.items():
        if name not in given and one.default is MISSING:
            raise BadSpec(f"{kind.__name__} lacks {name!r}")
        wanted = _PLAIN.get(str(one.type))
        if wanted and name in given and type(given[name]) is not wanted:
            raise BadSpec(f"{kind.__name__}.{name} must be {one.type}, got {given[name]!r}")
    return dict(given)


def _mapping(said: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(said, dict):
        raise BadSpec(f"{what} is no mapping")
    return said


def _list(said: Json, what: str) -> list[Json]:
    if not isinstance(said, list | None):
        raise BadSpec(f"{what} is no list")
    return said or []


def problems(name: str, spec: Spec) -> list[str]:
    """Every reason why Baton does not take the operation; empty where it does."""
    return [*_of_names(name, spec), *_of_limits(spec), *_of_ports(spec), *_of_rights(spec)]


def _of_names(name: str, spec: Spec) -> Iterator[str]:
    if not NAME.match(name):
        yield f"the entry point's name {name!r} must be small letters, digits and _, at most 60"
    if spec.name != name:
        yield f"SPEC.name is {spec.name!r}, the entry point's name is {name!r}"
    if not spec.summary.strip():
        yield "SPEC.summary is empty"
    for what, group in (("input", spec.inputs), ("output", spec.outputs), ("param", spec.params)):
        named = [one.name for one in group]
        for one in named:
            if not NAME.match(one):
                yield f"{what} {one!r} must be small letters, digits and _, at most 60"
        if len(named) != len(set(named)):
            yield f"two {what}s have one name"


def _of_limits(spec: Spec) -> Iterator[str]:
    for field, (least, most) in WHOLE.items():
        value = getattr(spec, field)
        if not least <= value <= most:
            yield f"SPEC.{field} must be {least} to {most}, got {value}"
    if spec.max_memory > MEMORY_FROM and spec.queue == "cpu":
        yield f"SPEC.max_memory above {MEMORY_FROM} MiB needs queue='memory'"
    if spec.queue not in QUEUES:
        yield f"SPEC.queue must be one of {', '.join(QUEUES)}, got {spec.queue!r}"


def _of_ports(spec: Spec) -> Iterator[str]:
    if not spec.outputs:
        yield "it declares no output"
    for port in (*spec.inputs, *spec.outputs):
        for media in (port.media, *port.accepts):
            if media not in EXTENSIONS:
                yield f"port {port.name}: {media!r} is no medium; known: {', '.join(EXTENSIONS)}"
    for param in spec.params:
        if param.kind not in KINDS:
            yield f"param {param.name}: {param.kind!r} is no kind; known: {', '.join(KINDS)}"
    tables = [port.name for port in spec.inputs if {port.media, *port.accepts} & set(TABLES)]
    if spec.row_order not in ("", *ROW_ORDERS):
        yield f"SPEC.row_order must be one of {', '.join(ROW_ORDERS)}, got {spec.row_order!r}"
    elif tables and not spec.row_order:
        yield (
            f"it reads tables ({', '.join(tables)}) and does not say whether the order of their"
            " rows matters: SPEC.row_order is 'free' or 'used'"
        )


def _of_rights(spec: Spec) -> Iterator[str]:
    if spec.connects:
        yield (
            "SPEC.connects is for Baton's own operations: a brought one gets no connection, no"
            " secret and no network"
        )
