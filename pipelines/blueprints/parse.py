"""From a mapping (TOML or JSON) to a Blueprint, with every problem of shape at once."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace

from pipelines.blueprints import spec
from pipelines.blueprints.digest import canonical_of, digest_of
from pipelines.blueprints.problems import BlueprintErrors, Problem
from pipelines.blueprints.reader import Table
from pipelines.blueprints.refs import Ref, parse_input, parse_value

INPUT_SHAPES = "stage.step.output, run.<input> or feed.<name>"
VALUE_SHAPES = "run.<parameter>, item.<stage>.<item>[.<field>] or facts.<stage>.<step>.<fact>"


def parse(body: Mapping[str, object]) -> spec.Blueprint:
    """The blueprint that `body` says. Raises BlueprintErrors with all problems of shape."""
    problems: list[Problem] = []
    blueprint = _blueprint(Table(body, "", problems))
    if problems:
        raise BlueprintErrors(problems)
    return replace(blueprint, digest=digest_of(blueprint))


def parse_toml(text: str) -> spec.Blueprint:
    """The blueprint of a TOML text. Raises BlueprintErrors, for bad syntax with the line."""
    try:
        body = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BlueprintErrors([Problem("", "toml", f"is not TOML: {error}")]) from None
    return parse(body)


def canonical(body: Mapping[str, object]) -> bytes:
    """The canonical JSON of what `body` means. Raises BlueprintErrors."""
    return canonical_of(parse(body))


def digest(body: Mapping[str, object]) -> str:
    """The sha256 of what `body` means, in hex. Raises BlueprintErrors."""
    return parse(body).digest


def _blueprint(table: Table) -> spec.Blueprint:
    blueprint = spec.Blueprint(
        key=table.key(pattern="a-b"),
        title=table.text("title", default=None),
        kind=table.choice("kind", spec.KINDS, default="main"),
        summary=table.text("summary"),
        inputs=tuple(_input(entry) for entry in table.tables("inputs")),
        parameters=tuple(_parameter(entry) for entry in table.tables("parameters")),
        stages=tuple(_stage(entry) for entry in table.tables("stages")),
    )
    table.close()
    return blueprint


def _input(table: Table) -> spec.InputDef:
    key = table.key()
    definition = spec.InputDef(
        key=key,
        title=table.text("title") or key,
        media=table.names("media", spec.MEDIA) or ("any",),
        required=table.flag("required", default=True),
        many=table.flag("many", default=False),
        help=table.text("help"),
        connects=table.flag("connects", default=False),
    )
    table.close()
    return definition


def _parameter(table: Table) -> spec.ParameterDef:
    key = table.key()
    definition = spec.ParameterDef(
        key=key,
        kind=table.choice("kind", spec.VALUE_KINDS),
        title=table.text("title") or key,
        required=table.flag("required", default=False),
        default=table.json("default"),
        help=table.text("help"),
        choices=table.json_list("choices"),
        minimum=table.number("minimum"),
        maximum=table.number("maximum"),
    )
    table.close()
    return definition


def _stage(table: Table) -> spec.StageDef:
    key, persona = table.key(), table.text("persona", default=None)
    gate, hand_off = table.table("gate"), table.table("hand_off")
    definition = spec.StageDef(
        key=key,
        title=table.text("title") or key,
        persona=persona,
        code=table.text("code"),
        summary=table.text("summary"),
        needs=table.names("needs"),
        target=table.duration("target"),
        max_rounds=table.whole("max_rounds", default=spec.DEFAULT_MAX_ROUNDS),
        when=table.text("when").strip(),
        on_fail=table.choice("on_fail", spec.ON_FAIL, default="attention"),
        steps=tuple(_step(entry) for entry in table.tables("steps")),
        items=tuple(_item(entry, persona) for entry in table.tables("items")),
        gate=_gate(gate) if gate else None,
        hand_off=_hand_off(hand_off) if hand_off else None,
    )
    table.close()
    return definition


def _step(table: Table) -> spec.StepDef:
    key = table.key()
    definition = spec.StepDef(
        key=key,
        operation=table.text("operation", default=None),
        title=table.text("title") or key.replace("_", " ").capitalize(),
        inputs=_inputs(table),
        params=_params(table),
        after=table.names("after"),
        effect=table.text("effect"),
    )
    table.close()
    return definition


def _inputs(table: Table) -> dict[str, tuple[Ref, ...]]:
    inputs = table.table("inputs")
    if inputs is None:
        return {}
    return {str(port): _input_refs(inputs, str(port)) for port in inputs.body}


def _input_refs(inputs: Table, port: str) -> tuple[Ref, ...]:
    value = inputs.take(port)
    found = []
    for text in value if isinstance(value, list | tuple) else [value]:
        ref = parse_input(text) if isinstance(text, str) else None
        if ref is None:
            inputs.report(port, "reference", f"must be {INPUT_SHAPES}", text)
        else:
            found.append(ref)
    return tuple(found)


def _params(table: Table) -> dict[str, spec.Value]:
    params = table.table("params")
    if params is None:
        return {}
    return {str(name): _value(params, str(name)) for name in params.body}


def _value(params: Table, name: str) -> spec.Value:
    """A literal, or a reference written as {ref = "...", default = ...}."""
    value = params.take(name)
    if not (isinstance(value, Mapping) and "ref" in value):
        return params.json_of(value, name)
    table = Table(value, params.at(name), params.problems)
    text, default = table.text("ref", default=None), table.json("default")
    table.close()
    ref = parse_value(text, default=default, has_default="default" in value)
    if ref is None:
        table.report("ref", "reference", f"must be {VALUE_SHAPES}", text)
    return ref


def _item(table: Table, persona: str) -> spec.ItemDef:
    key = table.key()
    definition = spec.ItemDef(
        key=key,
        kind=table.choice("kind", spec.ITEM_KINDS, default="form"),
        title=table.text("title") or key.replace("_", " ").capitalize(),
        persona=table.text("persona") or persona,
        after=table.names("after"),
        fields=tuple(_field(entry) for entry in table.tables("fields")),
        help=table.text("help"),
        skippable=table.flag("skippable", default=False),
    )
    table.close()
    return definition


def _field(table: Table) -> spec.FieldDef:
    key = table.key()
    definition = spec.FieldDef(
        key=key,
        label=table.text("label") or key.replace("_", " ").capitalize(),
        kind=table.choice("kind", spec.FIELD_KINDS, default="text"),
        required=table.flag("required", default=False),
        help=table.text("help"),
        choices=table.json_list("choices"),
        values=table.json_list("values"),
        default=table.json("default"),
        minimum=table.number("minimum"),
        maximum=table.number("maximum"),
        suggest=_reference(table, "suggest"),
    )
    table.close()
    return definition


def _reference(table: Table, name: str) -> Ref | None:
    text = table.text(name)
    ref = parse_value(text) if text else None
    if text and ref is None:
        table.report(name, "reference", f"must be {VALUE_SHAPES}", text)
    return ref


def _check(table: Table) -> spec.CheckUse:
    definition = spec.CheckUse(
        name=table.text("name", default=None),
        params=_params(table),
        blocking=table.flag("blocking", default=True),
    )
    table.close()
    return definition


def _rule(table: Table) -> spec.Rule:
    rule = spec.Rule(
        table.text("persona", default=None),
        table.whole("min", default=1),
        table.whole("percent", default=0) if table.has("percent") else None,
    )
    table.close()
    return rule


def _gate(table: Table) -> spec.GateDef:
    definition = spec.GateDef(
        checks=tuple(_check(entry) for entry in table.tables("checks")),
        rules=tuple(_rule(entry) for entry in table.tables("rules")),
        on_reject=table.choice("on_reject", spec.ON_REJECT, default="send_back"),
        send_back_to=table.names("send_back_to"),
        due=table.duration("due"),
        expires=table.duration("expires"),
        on_expire=_on_expire(table),
        effect=table.text("effect"),
        when=table.text("when").strip(),
        exclude=table.names("exclude", spec.EXCLUDE) or ("subject_author",),
        allow_shared=table.flag("allow_shared", default=False),
        invalidate_on_change=table.flag("invalidate_on_change", default=True),
        blind=table.flag("blind", default=False),
        reveal=table.duration("reveal") or spec.DEFAULT_REVEAL,
        conditions=table.flag("conditions", default=True),
        override=table.choice("override", spec.OVERRIDE, default="one"),
    )
    table.close()
    return definition


def _on_expire(table: Table) -> str:
    value = table.text("on_expire", default="escalate")
    if value in ("approve", "approved", "accept"):
        table.report(
            "on_expire",
            "silence",
            "silence is not consent: no deadline approves",
            value,
        )
    elif value not in spec.ON_EXPIRE:
        table.report("on_expire", "choice", f"must be one of {', '.join(spec.ON_EXPIRE)}", value)
    return value


def _hand_off(table: Table) -> spec.HandOffDef:
    definition = spec.HandOffDef(
        code=table.text("code"),
        accept=table.choice("accept", spec.ACCEPT, default="required"),
        due=table.duration("due"),
        steps=tuple(_step(entry) for entry in table.tables("steps")),
        contract=tuple(_check(entry) for entry in table.tables("contract")),
        checklist=tuple(_entry(entry) for entry in table.tables("checklist")),
    )
    table.close()
    return definition


def _entry(table: Table) -> spec.ChecklistEntry:
    key = table.key()
    entry = spec.ChecklistEntry(
        key,
        table.text("label") or key,
        _reference(table, "value"),
        detail=table.flag("detail", default=False),
    )
    table.close()
    return entry
