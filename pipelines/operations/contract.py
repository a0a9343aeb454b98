"""What every operation declares (Spec) and what its compute function gets and gives.

Light on purpose: the web and engine processes read specs through this module,
so nothing here may import a numeric library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Kind = Literal["int", "float", "str", "bool", "list", "map"]
Media = Literal["parquet", "csv", "json", "skops", "onnx", "zip", "bytes", "any"]

EXTENSIONS: Mapping[str, str] = {
    "parquet": ".parquet",
    "csv": ".csv",
    "json": ".json",
    "skops": ".skops",
    "onnx": ".onnx",
    "zip": ".zip",
    "bytes": ".bin",
    "any": ".bin",
}


@dataclass(frozen=True)
class Param:
    """One parameter: its kind, default and limits. Forms and API schema come from it."""

    name: str
    kind: Kind
    default: Json = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Json, ...] = ()
    required: bool = False
    help: str = ""


@dataclass(frozen=True)
class Port:
    """One named input or output. A `many` port takes any number of named artefacts."""

    name: str
    media: Media
    optional: bool = False
    many: bool = False
    help: str = ""
    accepts: tuple[Media, ...] = ()  # further media an input port takes beside `media`


# What a worker may offer: a processor, much memory, or a graphics processor.
QUEUES: Final = ("cpu", "memory", "gpu")
MEMORY_FROM: Final = 2048  # MiB; own: what may need more goes to workers that offer `memory`


@dataclass(frozen=True)
class Spec:
    """The declaration of an operation; times in seconds, memory in MiB."""

    name: str
    version: int
    summary: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    params: tuple[Param, ...] = ()
    queue: str = "cpu"  # what it needs of a worker, one of QUEUES
    max_runtime: int = 600
    max_memory: int = 2048
    repeatable: bool = True
    waits: bool = False
    cacheable: bool = True
    connects: bool = False  # reads the outside through the connection its parameter names
    max_attempts: int = 2
    max_wait: int = 86_400
    keeps: bool = False  # writes to `Context.kept` what another attempt can go on from
    # Of operations that installed packages bring (docs/operations-of-your-own.md):
    max_processes: int = 8  # it and all that it starts, at once
    max_file_size: int = 2048  # MiB of one file
    row_order: str = ""  # "free": the order of a table's rows changes nothing; "used": it matters

    def input(self, name: str) -> Port:
        """The input port of that name; raises KeyError."""
        return _named(self.inputs, name)

    def output(self, name: str) -> Port:
        """The output port of that name; raises KeyError."""
        return _named(self.outputs, name)


def _named(ports: tuple[Port, ...], name: str) -> Port:
    for port in ports:
        if port.name == name:
            return port
    raise KeyError(name)


@dataclass(frozen=True)
class Outcome:
    """What a run of an operation gives: files by output port, and small JSON facts."""

    outputs: Mapping[str, Path]
    facts: dict[str, Json]


@dataclass(frozen=True)
class NotYet:
    """Answer of a waiting operation (`Spec.waits`): ask again after so many seconds."""

    seconds: float
    reason: str


class OperationError(Exception):
    """An operation cannot go on: says which field, value and rule; `details` holds rows."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        value: Json = None,
        rule: str | None = None,
        retryable: bool = False,
        details: Sequence[Mapping[str, Json]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.value = value
        self.rule = rule
        self.retryable = retryable
        self.details: tuple[dict[str, Json], ...] = tuple(dict(row) for row in details)

    def as_json(self) -> dict[str, Json]:
        """The error as plain data, for the attempt's record and the API."""
        return {
            "code": self.code,
            "message": self.message,
            "field": self.field,
            "value": self.value,
            "rule": self.rule,
            "retryable": self.retryable,
            "details": list(self.details),
        }


class ParamErrors(Exception):
    """Parameters that a spec refuses; `fields` maps each name to its messages."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self.fields: dict[str, list[str]] = {name: list(found) for name, found in fields.items()}
        lines = [f"{name}: {text}" for name, found in self.fields.items() for text in found]
        super().__init__("; ".join(lines))


Report = Callable[[float, str, int | None], None]
WriteLog = Callable[[str], None]


def _no_report(fraction: float, message: str, rows: int | None) -> None:
    """Drop progress: for scripts and tests that do not watch."""


def _no_log(text: str) -> None:
    """Drop log lines: for scripts and tests that do not watch."""


@dataclass(frozen=True)
class Context:
    """What a compute function gets: inputs, cleaned params, seed, a folder to write in."""

    spec: Spec
    folder: Path
    inputs: Mapping[str, Path] = field(default_factory=dict)
    many: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    params: Mapping[str, Json] = field(default_factory=dict)
    seed: int = 0
    threads: int = 1  # it may use so many at once; the result is the same for any number
    # A folder that outlives the attempt on its machine, for `Spec.keeps`. What lies there may be
    # gone, cut off or written by another attempt at the same: never more than time is won by it.
    kept: Path | None = None
    # What the connection leads to, with its secret: never kept, never shown.
    connection: Mapping[str, Json] = field(default_factory=dict, repr=False)
    report: Report = _no_report
    write_log: WriteLog = _no_log

    def progress(self, fraction: float, message: str, rows: int | None = None) -> None:
        """Report how far the work is (0 to 1), in words, with rows handled so far."""
        self.report(min(1.0, max(0.0, fraction)), message, rows)

    def log(self, text: str) -> None:
        """Write one line to the attempt's log."""
        self.write_log(text)

    def output(self, name: str) -> Path:
        """Where to write the output of that port; raises KeyError for an unknown one."""
        return self.folder / f"{name}{EXTENSIONS[self.spec.output(name).media]}"

    def text(self, name: str, default: str = "") -> str:
        """A str param; the default when it is None."""
        value = self.params.get(name)
        return default if value is None else str(value)

    def number(self, name: str, default: float = 0.0) -> float:
        """An int or float param as float; the default when it is None."""
        value = self.params.get(name)
        return float(value) if isinstance(value, int | float) else default

    def whole(self, name: str, default: int = 0) -> int:
        """An int param; the default when it is None."""
        value = self.params.get(name)
        return int(value) if isinstance(value, int | float) else default

    def flag(self, name: str) -> bool:
        """A bool param."""
        return self.params.get(name) is True

    def items(self, name: str) -> list[Json]:
        """A list param; empty when it is None."""
        value = self.params.get(name)
        return list(value) if isinstance(value, list) else []

    def names(self, name: str) -> list[str]:
        """A list param of strings; empty when it is None."""
        return [str(item) for item in self.items(name)]

    def mapping(self, name: str) -> dict[str, Json]:
        """A map param; empty when it is None."""
        value = self.params.get(name)
        return dict(value) if isinstance(value, dict) else {}


Run = Callable[[Context], "Outcome | NotYet"]


def clean_params(spec: Spec, given: Mapping[str, Json]) -> dict[str, Json]:
    """Fill defaults and refuse what the spec does not allow.

    Raises ParamErrors with every problem at once: unknown names, missing required
    ones, wrong kinds, values outside limits or choices.
    """
    problems: dict[str, list[str]] = {}
    known = {param.name: param for param in spec.params}
    for name in given:
        if name not in known:
            problems[name] = [f"unknown parameter of {spec.name}; known: {', '.join(known) or '-'}"]
    cleaned: dict[str, Json] = {}
    for param in spec.params:
        value = given.get(param.name)
        if value is None:
            value = _copy(param.default)
        found = param_problems(param, value)
        if found:
            problems[param.name] = found
        else:
            cleaned[param.name] = _as_kind(param, value)
    if problems:
        raise ParamErrors(problems)
    return cleaned


def param_problems(param: Param, value: Json) -> list[str]:
    """Every reason why the value does not suit the parameter; empty when it does."""
    if value is None:
        return [f"is required ({param.kind})"] if param.required else []
    if param.required and isinstance(value, str | list | dict) and not value:
        return [f"is required ({param.kind}), got an empty one"]
    if not _is_kind(param.kind, value):
        return [f"must be {param.kind}, got {value!r}"]
    found = [] if _is_finite(value) else [f"must be finite, got {value!r}"]
    if param.choices and value not in param.choices:
        found.append(f"must be one of {', '.join(map(repr, param.choices))}, got {value!r}")
    return found + _limit_problems(param, value)


def _limit_problems(param: Param, value: Json) -> list[str]:
    if param.kind in ("list", "map", "str") and isinstance(value, str | list | dict):
        size, what = float(len(value)), "must have a length"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        size, what = float(value), "must be"
    else:
        return []
    found = []
    if param.minimum is not None and size < param.minimum:
        found.append(f"{what} >= {param.minimum:g}, got {size:g}")
    if param.maximum is not None and size > param.maximum:
        found.append(f"{what} <= {param.maximum:g}, got {size:g}")
    return found


def _is_kind(kind: Kind, value: Json) -> bool:
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    types = {"str": str, "bool": bool, "list": list, "map": dict}
    return isinstance(value, types[kind])


def _as_kind(param: Param, value: Json) -> Json:
    # 1 and 1.0 must give one cache digest for a float parameter
    if param.kind == "float" and isinstance(value, int):
        return float(value)
    return value


def _copy(value: Json) -> Json:
    if isinstance(value, list):
        return [_copy(item) for item in value]
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return value


def _is_finite(value: Json) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(_is_finite(item) for item in value)
    if isinstance(value, dict):
        return all(_is_finite(item) for item in value.values())
    return True


def finite(value: float | None, digits: int | None = None) -> float | None:
    """A number for facts: None instead of NaN and infinities, rounded when asked."""
    if value is None or not math.isfinite(value):
        return None
    plain = float(value)
    return plain if digits is None else round(plain, digits)
