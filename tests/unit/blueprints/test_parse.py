"""Reading blueprints: shape, defaults, digests, and every problem of shape at once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.blueprints.digest import canonical_of
from pipelines.blueprints.durations import format_duration, parse_duration
from pipelines.blueprints.parse import canonical, digest, parse, parse_toml
from pipelines.blueprints.problems import BlueprintErrors
from pipelines.blueprints.refs import RefKind
from pipelines.blueprints.shipped import shipped, shipped_keys, shipped_text
from tests.unit.blueprints.bodies import Body, good


def problems(body: Any) -> dict[str, str]:
    with pytest.raises(BlueprintErrors) as refused:
        parse(body)
    return {problem.path: problem.rule for problem in refused.value.problems}


def test_defaults_are_filled_in() -> None:
    blueprint = parse(good())
    tune = blueprint.stage("tune")
    assert (blueprint.kind, tune.title, tune.max_rounds, tune.on_fail) == (
        "main",
        "tune",
        5,
        "attention",
    )
    assert tune.gate is not None
    assert tune.gate.expires == timedelta(days=2)
    assert tune.gate.exclude == ("subject_author",)
    assert tune.item("look").persona == "MLR"
    assert tune.step("fit").title == "Fit"
    assert blueprint.personas() == ("BA", "DE", "MLR", "DS")


def test_references_are_read() -> None:
    step = parse(good()).stage("source").step("read")
    (files,) = step.inputs["files"]
    assert (files.kind, files.name) == (RefKind.INPUT, "tables")
    target = step.params["target"]
    assert getattr(target, "kind", None) is RefKind.PARAMETER


def test_every_problem_comes_at_once() -> None:
    body = good()
    body["stages"][0].pop("persona")
    body["stages"][1]["target"] = "3 days"
    body["stages"][1]["steps"][0]["inputs"]["files"] = "somewhere"
    body["stages"][2]["gate"]["on_expire"] = "approve"
    body["stages"][2]["gate"]["rules"][0]["min"] = "two"
    body["stages"][2]["gate"]["colour"] = "red"
    body["title"] = "  "
    assert problems(body) == {
        "title": "required",
        "stages[0].persona": "required",
        "stages[1].target": "duration",
        "stages[1].steps[0].inputs.files": "reference",
        "stages[2].gate.on_expire": "silence",
        "stages[2].gate.rules[0].min": "kind",
        "stages[2].gate.colour": "unknown",
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"key": "Bad Key"}, "key"),
        ({"key": 7}, "key"),
        ({"key": "good\n"}, "key"),
        ({"kind": "other"}, "kind"),
        ({"stages": {}}, "stages"),
        ({"stages": ["frame"]}, "stages[0]"),
        ({"parameters": [{"key": "x", "kind": "date"}]}, "parameters[0].kind"),
        ({"inputs": [{"key": "x", "media": ["exe"]}]}, "inputs[0].media[0]"),
        ({"summary": "x" * 5000}, "summary"),
        ({"stages": [{"key": "a"}] * 501}, "stages"),
        (
            {"parameters": [{"key": "x", "kind": "float", "default": float("nan")}]},
            "parameters[0].default",
        ),
        (
            {"parameters": [{"key": "x", "kind": "float", "minimum": float("inf")}]},
            "parameters[0].minimum",
        ),
    ],
)
def test_bad_shapes_name_the_place(change: Body, path: str) -> None:
    assert path in problems(good() | change)


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_body_that_is_no_table(body: object) -> None:
    assert problems(body)[""] == "table"


def test_bad_toml_names_the_line() -> None:
    with pytest.raises(BlueprintErrors, match="line 2"):
        parse_toml('key = "x"\ntitle = oops\n')


def test_a_message_names_path_rule_and_value() -> None:
    body = good()
    body["stages"][2]["gate"]["on_expire"] = "approve"
    with pytest.raises(BlueprintErrors) as refused:
        parse(body)
    assert str(refused.value) == (
        "stages[2].gate.on_expire: silence is not consent: no deadline approves "
        "(got 'approve') [silence]"
    )


def test_canonical_json_reads_back_to_the_same_blueprint() -> None:
    blueprint = parse(good())
    again = parse(json.loads(canonical_of(blueprint)))
    assert again == blueprint
    assert canonical_of(again) == canonical(good())


def test_equal_meaning_gives_an_equal_digest() -> None:
    spelled = good()
    spelled["kind"] = "main"
    spelled["stages"][2]["gate"].update(due="PT24H", on_expire="escalate", allow_shared=False)
    spelled["stages"][2]["steps"][0]["inputs"]["table"] = ["source.read.table"]
    spelled["stages"][1]["steps"][0]["params"]["rows"] = 5.0
    assert digest(dict(reversed(spelled.items()))) == digest(good())


@pytest.mark.parametrize("path", ["title", "stage", "step", "gate", "text"])
def test_another_meaning_gives_another_digest(path: str) -> None:
    body = good()
    changes = {
        "title": lambda: body.update(title="Other"),
        "stage": lambda: body["stages"][1].update(max_rounds=4),
        "step": lambda: body["stages"][1]["steps"][0]["params"].update(rows=6),
        "gate": lambda: body["stages"][2]["gate"]["rules"][0].update(min=2),
        "text": lambda: body["stages"][0]["items"][0].update(help="Think"),
    }
    changes[path]()
    assert digest(body) != digest(good())


@pytest.mark.parametrize("key", shipped_keys())
def test_shipped_blueprints_read_back(key: str) -> None:
    blueprint = shipped(key)
    assert blueprint.key == key
    assert parse(json.loads(canonical_of(blueprint))) == blueprint
    assert shipped_text(key).startswith("#")


def test_an_unknown_shipped_blueprint() -> None:
    with pytest.raises(KeyError):
        shipped("../secret")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P3D", timedelta(days=3)),
        ("PT4H", timedelta(hours=4)),
        ("P1W", timedelta(days=7)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("P", None),
        ("PT", None),
        ("P1M", None),
        ("P1Y", None),
        ("3D", None),
        ("-P1D", None),
        ("P999999999999999999999D", None),
        ("P999999999W", None),
        ("P101Y", None),
        ("PT" + "9" * 5000 + "S", None),
        ("P1D\n", None),
    ],
)
def test_durations(text: str, length: timedelta | None) -> None:
    assert parse_duration(text) == length


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30_000)))
def test_durations_read_back(length: timedelta) -> None:
    whole = timedelta(days=length.days, seconds=length.seconds)
    assert parse_duration(format_duration(whole)) == whole


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
PLACES = st.sampled_from(
    ["key", "inputs", "parameters", "stages", "steps", "items", "gate", "hand_off"]
)


@given(place=PLACES, value=JSON, index=st.integers(0, 2))
def test_no_value_anywhere_breaks_the_reader(place: str, value: object, index: int) -> None:
    body = good()
    target = body if place in body else body["stages"][index]
    target[place] = value
    try:
        blueprint = parse(body)
    except BlueprintErrors:
        return
    assert parse(json.loads(canonical_of(blueprint))) == blueprint
