"""The canonical JSON of a blueprint: equal meaning gives equal bytes, so an equal digest."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta

from pipelines.blueprints import spec
from pipelines.blueprints.durations import format_duration
from pipelines.blueprints.refs import Ref
from pipelines.operations.contract import Json

_JsonMap = dict[str, Json]


def dump(blueprint: spec.Blueprint) -> _JsonMap:
    """The blueprint as plain data with all defaults written out; `parse` reads it back."""
    return {
        "key": blueprint.key,
        "title": blueprint.title,
        "kind": blueprint.kind,
        "summary": blueprint.summary,
        "inputs": [_input(entry) for entry in blueprint.inputs],
        "parameters": [_parameter(entry) for entry in blueprint.parameters],
        "stages": [_stage(stage) for stage in blueprint.stages],
    }


def canonical_of(blueprint: spec.Blueprint) -> bytes:
    """The canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(
        dump(blueprint),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )
    return text.encode("utf-8", "surrogatepass")


def digest_of(blueprint: spec.Blueprint) -> str:
    """The sha256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical_of(blueprint)).hexdigest()


def _input(entry: spec.InputDef) -> _JsonMap:
    # Left out where it says nothing: the digests of older blueprints stay.
    return ({"connects": True} if entry.connects else {}) | {
        "key": entry.key,
        "title": entry.title,
        "media": list(entry.media),
        "required": entry.required,
        "many": entry.many,
        "help": entry.help,
    }


def _parameter(entry: spec.ParameterDef) -> _JsonMap:
    return {
        "key": entry.key,
        "kind": entry.kind,
        "title": entry.title,
        "required": entry.required,
        "default": entry.default,
        "help": entry.help,
        "choices": list(entry.choices),
        "minimum": entry.minimum,
        "maximum": entry.maximum,
    }


def _stage(stage: spec.StageDef) -> _JsonMap:
    return {
        "key": stage.key,
        "title": stage.title,
        "persona": stage.persona,
        "code": stage.code,
        "summary": stage.summary,
        "needs": list(stage.needs),
        "target": _duration(stage.target),
        "max_rounds": stage.max_rounds,
        "when": stage.when,
        "on_fail": stage.on_fail,
        "steps": [_step(step) for step in stage.steps],
        "items": [_item(item) for item in stage.items],
        "gate": _gate(stage.gate) if stage.gate else None,
        "hand_off": _hand_off(stage.hand_off) if stage.hand_off else None,
    }


def _step(step: spec.StepDef) -> _JsonMap:
    return {
        "key": step.key,
        "operation": step.operation,
        "title": step.title,
        "inputs": {port: [ref.text for ref in refs] for port, refs in step.inputs.items()},
        "params": _params(step.params),
        "after": list(step.after),
        "effect": step.effect,
    }


def _item(item: spec.ItemDef) -> _JsonMap:
    return {
        "key": item.key,
        "kind": item.kind,
        "title": item.title,
        "persona": item.persona,
        "after": list(item.after),
        "fields": [field_json(entry) for entry in item.fields],
        "help": item.help,
        "skippable": item.skippable,
    }


def field_json(entry: spec.FieldDef) -> _JsonMap:
    """Return a work item's field as the canonical body and the API show it."""
    return {
        "key": entry.key,
        "label": entry.label,
        "kind": entry.kind,
        "required": entry.required,
        "help": entry.help,
        "choices": list(entry.choices),
        "values": list(entry.values),
        "default": entry.default,
        "minimum": entry.minimum,
        "maximum": entry.maximum,
        "suggest": entry.suggest.text if entry.suggest else "",
    }


def _gate(gate: spec.GateDef) -> _JsonMap:
    return {
        "checks": [_check(check) for check in gate.checks],
        "rules": [_rule(rule) for rule in gate.rules],
        "on_reject": gate.on_reject,
        "send_back_to": list(gate.send_back_to),
        "due": _duration(gate.due),
        "expires": _duration(gate.expires),
        "on_expire": gate.on_expire,
        "effect": gate.effect,
        "when": gate.when,
        "exclude": list(gate.exclude),
        "allow_shared": gate.allow_shared,
        "invalidate_on_change": gate.invalidate_on_change,
        **_later_fields(gate),
    }


def _rule(rule: spec.Rule) -> _JsonMap:
    """Without a percentage it is left out: versions of before keep their digest."""
    plain: _JsonMap = {"persona": rule.persona, "min": rule.min}
    return plain if rule.percent is None else {**plain, "percent": rule.percent}


def _later_fields(gate: spec.GateDef) -> _JsonMap:
    """Fields younger than published versions: left out by default, so those keep their digest."""
    given: _JsonMap = {
        "blind": gate.blind,
        "reveal": _duration(gate.reveal),
        "conditions": gate.conditions,
        "override": gate.override,
    }
    usual = spec.GateDef()
    return {
        name: value for name, value in given.items() if getattr(gate, name) != getattr(usual, name)
    }


def _hand_off(hand_off: spec.HandOffDef) -> _JsonMap:
    return {
        "code": hand_off.code,
        "accept": hand_off.accept,
        "due": _duration(hand_off.due),
        "steps": [_step(step) for step in hand_off.steps],
        "contract": [_check(check) for check in hand_off.contract],
        "checklist": [_entry(entry) for entry in hand_off.checklist],
    }


def _entry(entry: spec.ChecklistEntry) -> _JsonMap:
    """What was not there when older blueprints were published is left out where it says nothing."""
    said: _JsonMap = {
        "key": entry.key,
        "label": entry.label,
        "value": entry.value.text if entry.value else "",
    }
    return {**said, "detail": True} if entry.detail else said


def _check(check: spec.CheckUse) -> _JsonMap:
    return {
        "name": check.name,
        "params": _params(check.params),
        "blocking": check.blocking,
    }


def _params(params: Mapping[str, spec.Value]) -> _JsonMap:
    return {name: _value(value) for name, value in params.items()}


def _value(value: spec.Value) -> Json:
    if not isinstance(value, Ref):
        return value
    return (
        {"ref": value.text, "default": value.default} if value.has_default else {"ref": value.text}
    )


def _duration(length: timedelta | None) -> str:
    return "" if length is None else format_duration(length)
