"""What a blueprint says, as frozen dataclasses. No rules here: those are in lint."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, TypeAlias, TypeVar

from pipelines.blueprints.refs import Ref
from pipelines.operations.contract import Json

Value: TypeAlias = "Json | Ref"

DEFAULT_MAX_ROUNDS = 5
KINDS = ("main", "watch")
VALUE_KINDS = ("int", "float", "str", "bool", "list", "map")
FIELD_KINDS = (
    "text",
    "longtext",
    "number",
    "money",
    "choice",
    "bool",
    "date",
    "columns",
    "map",
    "list",
)
ITEM_KINDS = ("form", "attestation", "review")
ON_FAIL = ("attention", "fail_run")
ON_REJECT = ("send_back", "fail_run", "end_rejected")
ON_EXPIRE = (
    "escalate",
    "reject",
    "hold",
)  # approve is not a legal value: silence is not consent
EXCLUDE = ("subject_author", "run_initiator", "earlier_deciders")
OVERRIDE = ("one", "two", "never")  # how many people with the capability it takes
DEFAULT_REVEAL = timedelta(hours=4)  # own: half a working day to think again
ACCEPT = ("required", "auto")
MEDIA = ("parquet", "csv", "json", "skops", "onnx", "zip", "bytes", "any")


@dataclass(frozen=True)
class InputDef:
    """An artefact that a run is given. `many`: one or more of them.

    `connects`: a connection with a query or path, given as parameters, may take its place.
    """

    key: str
    title: str
    media: tuple[str, ...]
    required: bool = True
    many: bool = False
    help: str = ""
    connects: bool = False


@dataclass(frozen=True)
class ParameterDef:
    """A value that a run is given."""

    key: str
    kind: str
    title: str
    required: bool = False
    default: Json = None
    help: str = ""
    choices: tuple[Json, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class FieldDef:
    """One field of a work item.

    `choices` are the legal values; of a map, the keys to fill. `values` are the legal values
    of a map. `suggest` names the fact (a list of texts) that the page offers.
    """

    key: str
    label: str
    kind: str
    required: bool = False
    help: str = ""
    choices: tuple[Json, ...] = ()
    values: tuple[Json, ...] = ()
    default: Json = None
    minimum: float | None = None
    maximum: float | None = None
    suggest: Ref | None = None


@dataclass(frozen=True)
class ItemDef:
    """What a person has to do in a stage. `persona` is the stage's own where none is named."""

    key: str
    kind: str
    title: str
    persona: str
    after: tuple[str, ...] = ()
    fields: tuple[FieldDef, ...] = ()
    help: str = ""
    skippable: bool = False


@dataclass(frozen=True)
class StepDef:
    """One operation in one stage. `after` names steps or items of the same stage."""

    key: str
    operation: str
    title: str
    inputs: Mapping[str, tuple[Ref, ...]] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    effect: str = ""


@dataclass(frozen=True)
class CheckUse:
    """A check with its parameters. A blocking one must be green, or waived, before an approval."""

    name: str
    params: Mapping[str, Value] = field(default_factory=dict)
    blocking: bool = True


@dataclass(frozen=True)
class Rule:
    """At least `min` distinct people of the persona approve.

    With `percent` also that share, rounded up, of those who could when the gate opened.
    """

    persona: str
    min: int = 1
    percent: int | None = None


@dataclass(frozen=True)
class GateDef:
    """The review of a stage. Without rules, green checks alone close it.

    `blind`: nobody sees the others' verdicts until all rules have enough of them, or half of
    `expires` is over; then each has `reveal` to think again. `conditions`: whether an approval
    may name findings. `override`: how many people it takes to close it against its rules.
    """

    checks: tuple[CheckUse, ...] = ()
    rules: tuple[Rule, ...] = ()
    on_reject: str = "send_back"
    send_back_to: tuple[str, ...] = ()
    due: timedelta | None = None
    expires: timedelta | None = None
    on_expire: str = "escalate"
    effect: str = ""
    when: str = ""
    exclude: tuple[str, ...] = ("subject_author",)
    allow_shared: bool = False
    invalidate_on_change: bool = True
    blind: bool = False
    reveal: timedelta = DEFAULT_REVEAL
    conditions: bool = True
    override: str = "one"


@dataclass(frozen=True)
class ChecklistEntry:
    """One line of a hand-off's checklist. With `value` it fills itself and asks nobody.

    `detail`: only in the full list, where giver and receiver stand 20 points apart or more.
    """

    key: str
    label: str
    value: Ref | None = None
    detail: bool = False


@dataclass(frozen=True)
class HandOffDef:
    """A stage's result passing to the next persona, with the receiver's contract."""

    code: str = ""
    accept: str = "required"
    due: timedelta | None = None
    steps: tuple[StepDef, ...] = ()
    contract: tuple[CheckUse, ...] = ()
    checklist: tuple[ChecklistEntry, ...] = ()

    @property
    def asks_a_person(self) -> bool:
        """Whether somebody has to fill in the checklist before the offer."""
        return any(entry.value is None for entry in self.checklist)


@dataclass(frozen=True)
class StageDef:
    """A persona-owned part of a run."""

    key: str
    title: str
    persona: str
    code: str = ""
    summary: str = ""
    needs: tuple[str, ...] = ()
    target: timedelta | None = None
    max_rounds: int = DEFAULT_MAX_ROUNDS
    when: str = ""
    on_fail: str = "attention"
    steps: tuple[StepDef, ...] = ()
    items: tuple[ItemDef, ...] = ()
    gate: GateDef | None = None
    hand_off: HandOffDef | None = None

    def step(self, key: str) -> StepDef:
        """The step of this stage, or of its hand-off. Raises KeyError."""
        return _by_key(self.all_steps(), key)

    def item(self, key: str) -> ItemDef:
        """The work item of this stage. Raises KeyError."""
        return _by_key(self.items, key)

    def all_steps(self) -> tuple[StepDef, ...]:
        """The stage's steps, then the contract steps of its hand-off."""
        return self.steps + (self.hand_off.steps if self.hand_off else ())


@dataclass(frozen=True, eq=False)
class Blueprint:
    """The plan of stages and gates. Two are equal when their digests are."""

    key: str
    title: str
    kind: str
    summary: str
    inputs: tuple[InputDef, ...]
    parameters: tuple[ParameterDef, ...]
    stages: tuple[StageDef, ...]
    digest: str = ""

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Blueprint) and self.digest == other.digest != ""

    def __hash__(self) -> int:
        return hash(self.digest)

    def stage(self, key: str) -> StageDef:
        """The stage of that key. Raises KeyError."""
        return _by_key(self.stages, key)

    def parameter(self, key: str) -> ParameterDef:
        """The run parameter of that key. Raises KeyError."""
        return _by_key(self.parameters, key)

    def input(self, key: str) -> InputDef:
        """The run input of that key. Raises KeyError."""
        return _by_key(self.inputs, key)

    def personas(self) -> tuple[str, ...]:
        """Every persona that owns a stage, fills an item or decides; first mention first."""
        return tuple(dict.fromkeys(self._mentions()))

    def _mentions(self) -> Iterator[str]:
        for stage in self.stages:
            yield stage.persona
            yield from (item.persona for item in stage.items)
            if stage.gate:
                yield from (rule.persona for rule in stage.gate.rules)


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


K = TypeVar("K", bound=_Keyed)


def _by_key(defs: tuple[K, ...], key: str) -> K:
    for definition in defs:
        if definition.key == key:
            return definition
    raise KeyError(key)
