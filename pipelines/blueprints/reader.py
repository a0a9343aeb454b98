"""Reading a mapping field by field, gathering problems instead of stopping at the first."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pipelines.blueprints.durations import parse_duration
from pipelines.blueprints.problems import Problem, shown
from pipelines.blueprints.refs import KEY
from pipelines.operations.contract import Json

MAX_TEXT = 4000
MAX_LIST = 500


class Table:
    """One table of the blueprint. Each method takes one field and notes what is wrong with it."""

    def __init__(self, body: object, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems
        self._seen: set[str] = set()
        self.body: Mapping[str, object] = {}
        if isinstance(body, Mapping):
            self.body = body
        else:
            self.report("", "table", "must be a table", body)

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path and name else self.path or name

    def report(self, name: str, rule: str, message: str, value: object = None) -> None:
        """Note one problem of a field."""
        got = "" if value is None else shown(value)
        self.problems.append(Problem(self.at(name), rule, message, got))

    def take(self, name: str, *, required: bool = False) -> object:
        """The raw value; None and an absent field are the same."""
        self._seen.add(name)
        value = self.body.get(name)
        if value is None and required:
            self.report(name, "required", "is required")
        return value

    def has(self, name: str) -> bool:
        """Whether the table names it at all."""
        return self.body.get(name) is not None

    def text(self, name: str, *, default: str | None = "") -> str:
        """A text; required if its default is None."""
        value = self.take(name, required=default is None)
        if value is None:
            return default or ""
        if not isinstance(value, str):
            self.report(name, "kind", "must be text", value)
            return default or ""
        if default is None and not value.strip():
            self.report(name, "required", "must not be empty")
        if len(value) > MAX_TEXT:
            self.report(name, "length", f"must be at most {MAX_TEXT} characters", len(value))
        return value

    def key(self, name: str = "key", *, pattern: str = "a_b") -> str:
        """A required key: small letters, digits and underscores, 40 at most."""
        value = self.text(name, default=None)
        plain = value.replace("-", "_") if pattern == "a-b" else value
        if value.strip() and not KEY.fullmatch(plain):
            self.report(name, "key", "must be small letters, digits and _, 40 at most", value)
        return value

    def choice(self, name: str, choices: Sequence[str], *, default: str | None = None) -> str:
        """One of the choices."""
        value = self.text(name, default=default)
        if value and value not in choices:
            self.report(name, "choice", f"must be one of {', '.join(choices)}", value)
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """A truth value."""
        value = self.take(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.report(name, "kind", "must be true or false", value)
            return default
        return value

    def whole(self, name: str, *, default: int) -> int:
        """A whole number."""
        value = self.take(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.report(name, "kind", "must be a whole number", value)
            return default
        return value

    def number(self, name: str) -> float | None:
        """A finite number or nothing."""
        value = self.take(name)
        if value is None:
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            self.report(name, "kind", "must be a finite number", value)
            return None
        return plain_number(value)

    def duration(self, name: str) -> timedelta | None:
        """An ISO-8601 duration or nothing."""
        value = self.text(name)
        if not value:
            return None
        length = parse_duration(value)
        if length is None or not length:
            self.report(
                name,
                "duration",
                "must be a duration such as P3D or PT4H, without years or months",
                value,
            )
            return None
        return length

    def names(self, name: str, choices: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of texts, each one of the choices where there are any."""
        found = []
        for index, value in enumerate(self._list(name)):
            if not isinstance(value, str) or not value:
                self.report(f"{name}[{index}]", "kind", "must be text", value)
            elif choices and value not in choices:
                self.report(
                    f"{name}[{index}]",
                    "choice",
                    f"must be one of {', '.join(choices)}",
                    value,
                )
            else:
                found.append(value)
        for value in sorted({value for value in found if found.count(value) > 1}):
            self.report(name, "duplicate", "is listed twice", value)
        return tuple(found)

    def tables(self, name: str) -> tuple["Table", ...]:
        """A list of tables."""
        return tuple(
            Table(value, f"{self.at(name)}[{index}]", self.problems)
            for index, value in enumerate(self._list(name))
        )

    def table(self, name: str) -> "Table | None":
        """A table or nothing."""
        value = self.take(name)
        return None if value is None else Table(value, self.at(name), self.problems)

    def json(self, name: str) -> Json:
        """Any JSON value."""
        return self.json_of(self.take(name), name)

    def json_list(self, name: str) -> tuple[Json, ...]:
        """A list of JSON values."""
        return tuple(self.json_of(value, name) for value in self._list(name))

    def json_of(self, value: object, name: str) -> Json:
        """`value` as JSON; what JSON has no word for (dates, NaN) is a problem."""
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int | float) and math.isfinite(value):
            return plain_number(value)
        if isinstance(value, list | tuple):
            return [self.json_of(entry, f"{name}[{index}]") for index, entry in enumerate(value)]
        if isinstance(value, Mapping):
            return {str(key): self.json_of(entry, f"{name}.{key}") for key, entry in value.items()}
        self.report(
            name,
            "json",
            "must be text, a finite number, true, false, a list or a table",
            value,
        )
        return None

    def close(self) -> None:
        """Report the fields that nobody asked for."""
        for name in self.body:
            if name not in self._seen:
                known = ", ".join(sorted(self._seen))
                self.report(str(name), "unknown", f"is not a field here; known: {known}")

    def _list(self, name: str) -> Sequence[object]:
        value = self.take(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.report(name, "kind", "must be a list", value)
            return ()
        if len(value) > MAX_LIST:
            self.report(name, "length", f"must have at most {MAX_LIST} entries", len(value))
            return ()
        return value


def plain_number(value: int | float) -> int | float:
    """1.0 as 1: the same number must give the same digest however it was written."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
