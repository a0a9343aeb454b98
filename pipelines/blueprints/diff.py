"""What differs between two versions of a blueprint, part by part; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.blueprints.digest import dump
from pipelines.blueprints.spec import Blueprint
from pipelines.operations.contract import Json

ADDED: Final = "added"
REMOVED: Final = "removed"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"

Named = tuple[str, str]  # noun, name
_Body = dict[str, Json]
_PARTS: Final = ("steps", "items", "gate", "hand_off")


@dataclass(frozen=True)
class Change:
    """One part of a blueprint in both versions; `fields` are those that differ.

    `noun` is blueprint, input, parameter, stage, step, contract_step, item, gate or hand_off;
    `name` is its key, with its stage's before it ("features.build"); gates have their stage's name.
    """

    noun: str
    name: str
    change: str
    fields: tuple[str, ...] = ()

    @property
    def stage(self) -> str:
        """The stage it belongs to; empty for what belongs to the whole blueprint."""
        return "" if self.noun in ("blueprint", "input", "parameter") else self.name.split(".")[0]


@dataclass(frozen=True)
class Diff:
    """Every part of both versions, in the order of the new one; what it lacks comes last."""

    changes: tuple[Change, ...]

    def of(self, noun: str, name: str) -> str:
        """Whether a part was added, removed, changed or stays; unknown parts are unchanged."""
        return next(
            (one.change for one in self.changes if (one.noun, one.name) == (noun, name)), UNCHANGED
        )

    @property
    def real(self) -> tuple[Change, ...]:
        """Only what differs."""
        return tuple(one for one in self.changes if one.change != UNCHANGED)


def diff(old: Blueprint, new: Blueprint) -> Diff:
    """Compare two versions part by part."""
    before, after = dict(_parts(old)), dict(_parts(new))
    places = dict.fromkeys([*after, *before])
    return Diff(tuple(_change(place, before.get(place), after.get(place)) for place in places))


def _change(place: Named, before: _Body | None, after: _Body | None) -> Change:
    if before is None or after is None:
        return Change(*place, ADDED if before is None else REMOVED)
    names = dict.fromkeys([*after, *before])
    fields = tuple(name for name in names if before.get(name) != after.get(name))
    return Change(*place, CHANGED if fields else UNCHANGED, fields)


def _parts(blueprint: Blueprint) -> Iterator[tuple[Named, _Body]]:
    body = dump(blueprint)
    yield (
        ("blueprint", blueprint.key),
        {name: body[name] for name in ("title", "kind", "summary")},
    )
    for noun in ("input", "parameter"):
        for entry in _maps(body[f"{noun}s"]):
            yield (noun, str(entry["key"])), entry
    for stage in _maps(body["stages"]):
        yield from _stage_parts(stage)


def _stage_parts(stage: _Body) -> Iterator[tuple[Named, _Body]]:
    key = str(stage["key"])
    yield ("stage", key), {name: value for name, value in stage.items() if name not in _PARTS}
    for noun in ("step", "item"):
        for entry in _maps(stage[f"{noun}s"]):
            yield (noun, f"{key}.{entry['key']}"), entry
    gate, hand_off = stage["gate"], stage["hand_off"]
    if isinstance(gate, Mapping):
        yield ("gate", key), dict(gate)
    if isinstance(hand_off, Mapping):
        yield (
            ("hand_off", key),
            {name: value for name, value in hand_off.items() if name != "steps"},
        )
        for entry in _maps(hand_off["steps"]):
            yield ("contract_step", f"{key}.{entry['key']}"), entry


def _maps(value: Json) -> list[_Body]:
    entries = value if isinstance(value, list) else []
    return [dict(entry) for entry in entries if isinstance(entry, Mapping)]
