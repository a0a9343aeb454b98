"""Serializers made from frozen dataclasses: what a query returns is what the API answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from types import UnionType
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from rest_framework import serializers

from portal.api.serializers.base import Output

Field: TypeAlias = "serializers.Field[Any, Any, Any, Any]"
MOST_RECORDS: Final = 100  # ids that a figure names; how many there are it says itself


class Seconds(serializers.FloatField):
    """A length of time, in seconds."""

    def to_representation(self, value: Any) -> Any:
        """Return the seconds."""
        return value.total_seconds() if isinstance(value, timedelta) else value


class Records(serializers.ListField):
    """Ids of records, newest first, each with its address: at most 100."""

    def __init__(self, noun: str, **kwargs: Any) -> None:
        self.noun = noun
        super().__init__(child=serializers.DictField(), help_text="{id, link}", **kwargs)

    def to_representation(self, data: Any) -> list[Any]:
        """Return id and link of each."""
        return [{"id": pk, "link": f"/api/v1/{self.noun}/{pk}"} for pk in data[:MOST_RECORDS]]


class Link(serializers.CharField):
    """The address of the record itself."""

    def __init__(self, noun: str, name: str) -> None:
        self.noun, self.name = noun, name
        super().__init__(source="*", read_only=True)

    def to_representation(self, value: Any) -> str:
        """Return the address."""
        return f"/api/v1/{self.noun}/{getattr(value, self.name)}"


PLAIN: Final[Mapping[Any, type[serializers.Field[Any, Any, Any, Any]]]] = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    float: serializers.FloatField,
    datetime: serializers.DateTimeField,
}


@dataclass
class Shapes:
    """Makes serializers of dataclasses, each once.

    `links`: noun and field by which a record is found in the API; `records`: noun of a field of
    ids; `also`: properties that are answered, with their kind.
    """

    links: Mapping[type, tuple[str, str]]
    records: Mapping[tuple[type, str], str]
    also: Mapping[type, Mapping[str, Any]]
    made: dict[type, type[Output]] = field(default_factory=dict)

    def of(self, kind: type) -> type[Output]:
        """Return the serializer of a dataclass. Raises KeyError for a field of no known kind."""
        if kind not in self.made:
            hints = get_type_hints(kind)
            found: dict[str, Any] = {
                one.name: self._field(hints[one.name], self.records.get((kind, one.name)))
                for one in fields(kind)
            }
            found |= {name: self._field(hint) for name, hint in self.also.get(kind, {}).items()}
            if kind in self.links:
                found["link"] = Link(*self.links[kind])
            doc = (kind.__doc__ or "").strip().splitlines()[0]
            self.made[kind] = type(kind.__name__, (Output,), {**found, "__doc__": doc})
        return self.made[kind]

    def _field(self, hint: Any, noun: str | None = None) -> Field:
        origin, parts = get_origin(hint), get_args(hint)
        if noun:
            return Records(noun)
        if origin in (Union, UnionType):
            made = self._field(next(part for part in parts if part is not type(None)))
            made.allow_null = True
            return made
        if origin is tuple:
            return self._list(parts)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return serializers.DictField(child=self._field(parts[1]))
        if is_dataclass(hint) and isinstance(hint, type):
            return self.of(hint)()
        return _plain(origin or hint)

    def _list(self, parts: tuple[Any, ...]) -> Field:
        if len(parts) != 2 or parts[1] is not Ellipsis:
            return serializers.ListField(child=serializers.JSONField())
        if is_dataclass(parts[0]) and isinstance(parts[0], type):
            return self.of(parts[0])(many=True)
        return serializers.ListField(child=self._field(parts[0]))


def _plain(hint: Any) -> Field:
    if hint in (str, Literal):
        return serializers.CharField(allow_blank=True)
    return Seconds(help_text="seconds") if hint is timedelta else PLAIN[hint]()
