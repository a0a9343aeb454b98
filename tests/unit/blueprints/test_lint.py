"""Each rule of lint has at least one blueprint that breaks it, and the good one breaks none."""

from collections.abc import Callable

import pytest

from pipelines.blueprints import lint as lint_package
from pipelines.blueprints.lint import (
    RULES,
    checks,
    conditions,
    gates,
    hand_offs,
    items,
    refs,
    stages,
    steps,
)
from pipelines.blueprints.lint.walk import Known, Rule
from pipelines.blueprints.parse import parse
from tests.unit.blueprints.bodies import (
    CHECKS,
    EFFECTS,
    FEEDS,
    OPERATIONS,
    PERSONAS,
    Body,
    good,
    problems_of,
)

Breaking = Callable[[Body], object]
FRAME, SOURCE, TUNE = 0, 1, 2


def fit(body: Body) -> Body:
    return body["stages"][TUNE]["steps"][0]


def gate(body: Body) -> Body:
    return body["stages"][TUNE]["gate"]


def brief(body: Body) -> Body:
    return body["stages"][FRAME]["items"][0]


def add_stage(body: Body, **stage: object) -> None:
    body["stages"].append({"key": "other", "persona": "SWE", **stage})


def side_branch(body: Body) -> None:
    add_stage(body, needs=["source"], items=[{"key": "look", "kind": "review"}])


BROKEN: list[tuple[Rule, Breaking, str]] = [
    (stages.has_stages, lambda b: b.update(stages=[]), "stages"),
    (stages.keys_are_unique, lambda b: add_stage(b, key="tune"), "stages"),
    (stages.keys_are_unique, lambda b: b["inputs"].append(b["inputs"][0]), "inputs"),
    (stages.keys_are_unique, lambda b: b["parameters"].append(b["parameters"][0]), "parameters"),
    (stages.keys_are_free, lambda b: add_stage(b, key="facts"), "stages[3].key"),
    (stages.personas_exist, lambda b: add_stage(b, persona="CEO"), "stages[3].persona"),
    (stages.needs_exist, lambda b: add_stage(b, needs=["nowhere"]), "stages[3].needs[0]"),
    (stages.no_cycle, lambda b: b["stages"][0].update(needs=["tune"]), "stages[0].needs"),
    (stages.no_cycle, lambda b: b["stages"][0].update(needs=["frame"]), "stages[0].needs"),
    (
        stages.loops_are_bounded,
        lambda b: b["stages"][1].update(max_rounds=0),
        "stages[1].max_rounds",
    ),
    (
        stages.loops_are_bounded,
        lambda b: b["stages"][1].update(max_rounds=999),
        "stages[1].max_rounds",
    ),
    (stages.stages_do_something, add_stage, "stages[3]"),
    (stages.gated_branches_meet, side_branch, "stages[2].gate"),
    (
        steps.operations_exist,
        lambda b: fit(b).update(operation="guess"),
        "stages[2].steps[0].operation",
    ),
    (steps.effects_exist, lambda b: fit(b).update(effect="launch"), "stages[2].steps[0].effect"),
    (
        steps.keys_are_unique,
        lambda b: b["stages"][TUNE]["items"][0].update(key="fit", after=[]),
        "stages[2]",
    ),
    (
        steps.ports_are_fed,
        lambda b: fit(b)["inputs"].pop("table"),
        "stages[2].steps[0].inputs.table",
    ),
    (
        steps.ports_are_fed,
        lambda b: fit(b)["inputs"].update(tabel="source.read.table"),
        "stages[2].steps[0].inputs.tabel",
    ),
    (
        steps.ports_are_fed,
        lambda b: fit(b)["inputs"].update(table=["source.read.table"] * 2),
        "stages[2].steps[0].inputs.table",
    ),
    (
        steps.literals_are_legal,
        lambda b: fit(b)["params"].update(rate=7),
        "stages[2].steps[0].params.rate",
    ),
    (
        steps.literals_are_legal,
        lambda b: fit(b)["params"].update(rate="fast"),
        "stages[2].steps[0].params.rate",
    ),
    (
        steps.literals_are_legal,
        lambda b: fit(b)["params"].update(speed=1),
        "stages[2].steps[0].params.speed",
    ),
    (
        steps.literals_are_legal,
        lambda b: fit(b)["params"].pop("columns"),
        "stages[2].steps[0].params.columns",
    ),
    (
        steps.literals_are_legal,
        lambda b: fit(b)["params"].update(rate={"ref": "run.target", "default": 3}),
        "stages[2].steps[0].params.rate",
    ),
    (steps.after_exists, lambda b: fit(b).update(after=["read"]), "stages[2].steps[0].after[0]"),
    (steps.after_exists, lambda b: brief(b).update(after=["brief"]), "stages[0].items[0].after[0]"),
    (steps.no_circle_in_a_stage, lambda b: fit(b).update(after=["look"]), "stages[2]"),
    (
        refs.inputs_exist,
        lambda b: fit(b)["inputs"].update(table="source.read.tabel"),
        "stages[2].steps[0].inputs.table",
    ),
    (
        refs.inputs_exist,
        lambda b: fit(b)["inputs"].update(table="source.wrote.table"),
        "stages[2].steps[0].inputs.table",
    ),
    (
        refs.inputs_exist,
        lambda b: b["stages"][SOURCE]["steps"][0]["inputs"].update(files="tune.fit.model"),
        "stages[1].steps[0].inputs.files",
    ),
    (
        refs.inputs_exist,
        lambda b: fit(b)["inputs"].update(hint="feed.nothing"),
        "stages[2].steps[0].inputs.hint",
    ),
    (
        refs.inputs_exist,
        lambda b: fit(b)["inputs"].update(hint="run.nothing"),
        "stages[2].steps[0].inputs.hint",
    ),
    (
        refs.media_fit,
        lambda b: fit(b)["inputs"].update(table="source.read.note"),
        "stages[2].steps[0].inputs.table",
    ),
    (
        refs.media_fit,
        lambda b: fit(b)["inputs"].update(table="run.tables"),
        "stages[2].steps[0].inputs.table",
    ),
    (
        refs.media_fit,
        lambda b: b["inputs"][0].update(media=["zip"]),
        "stages[1].steps[0].inputs.files",
    ),
    (
        refs.media_fit,
        lambda b: b["inputs"][0].update(required=False),
        "stages[1].steps[0].inputs.files",
    ),
    (
        refs.skipped_stages_give_nothing,
        lambda b: b["stages"][SOURCE].update(when="run.target == 'x'"),
        "stages[2].steps[0].inputs.table",
    ),
    (
        refs.values_exist,
        lambda b: fit(b)["params"].update(columns={"ref": "item.frame.brief.kept"}),
        "stages[2].steps[0].params.columns",
    ),
    (
        refs.values_exist,
        lambda b: fit(b)["params"].update(columns={"ref": "run.target"}),
        "stages[2].steps[0].params.columns",
    ),
    (
        refs.values_exist,
        lambda b: fit(b)["params"].update(rate={"ref": "run.pace"}),
        "stages[2].steps[0].params.rate",
    ),
    (
        refs.values_exist,
        lambda b: b["parameters"][0].update(required=False),
        "stages[1].steps[0].params.target",
    ),
    (
        refs.values_exist,
        lambda b: gate(b)["checks"][0].update(params={"limit": {"ref": "run.limit"}}),
        "stages[2].gate.checks[0].params.limit",
    ),
    (
        refs.entries_exist,
        lambda b: b["stages"][SOURCE]["hand_off"]["checklist"][0].update(value="run.x"),
        "stages[1].hand_off.checklist[0].value",
    ),
    (
        refs.entries_exist,
        lambda b: brief(b)["fields"][0].update(suggest="facts.tune.fit.names"),
        "stages[0].items[0].fields[0].suggest",
    ),
    (
        items.item_personas_exist,
        lambda b: brief(b).update(persona="CEO"),
        "stages[0].items[0].persona",
    ),
    (items.items_ask_something, lambda b: brief(b).update(fields=[]), "stages[0].items[0].fields"),
    (
        items.fields_are_unique,
        lambda b: brief(b)["fields"].append(brief(b)["fields"][0]),
        "stages[0].items[0].fields",
    ),
    (
        items.fields_can_be_filled,
        lambda b: brief(b)["fields"][2].update(choices=[], default=None),
        "stages[0].items[0].fields[2].choices",
    ),
    (
        items.fields_can_be_filled,
        lambda b: brief(b)["fields"][2].update(default="bored"),
        "stages[0].items[0].fields[2].default",
    ),
    (
        items.fields_can_be_filled,
        lambda b: brief(b)["fields"][1].update(minimum=3, maximum=2),
        "stages[0].items[0].fields[1].minimum",
    ),
    (
        items.fields_can_be_filled,
        lambda b: brief(b)["fields"][1].update(values=["x"]),
        "stages[0].items[0].fields[1].values",
    ),
    (
        items.parameters_are_legal,
        lambda b: b["parameters"][0].update(default=7),
        "parameters[0].default",
    ),
    (
        items.parameters_are_legal,
        lambda b: b["parameters"][0].update(minimum=9, maximum=1),
        "parameters[0].minimum",
    ),
    (gates.gates_ask_something, lambda b: gate(b).update(checks=[], rules=[]), "stages[2].gate"),
    (
        gates.gates_ask_something,
        lambda b: gate(b).update(checks=[{"name": "loads", "blocking": False}], rules=[]),
        "stages[2].gate",
    ),
    (
        gates.deciders_exist,
        lambda b: gate(b).update(rules=[{"persona": "CEO"}]),
        "stages[2].gate.rules[0].persona",
    ),
    (
        gates.deciders_exist,
        lambda b: gate(b).update(rules=[{"persona": "DS"}] * 2),
        "stages[2].gate.rules",
    ),
    (
        gates.quorums_are_possible,
        lambda b: gate(b).update(rules=[{"persona": "DS", "min": 0}]),
        "stages[2].gate.rules[0].min",
    ),
    (
        gates.quorums_are_possible,
        lambda b: gate(b).update(rules=[{"persona": "DS", "min": 999}]),
        "stages[2].gate.rules[0].min",
    ),
    (
        gates.not_owner_only,
        lambda b: gate(b).update(rules=[{"persona": "MLR"}]),
        "stages[2].gate.rules",
    ),
    (
        gates.not_owner_only,
        lambda b: gate(b).update(rules=[{"persona": "MLR"}, {"persona": "DS"}]),
        "stages[2].gate.rules",
    ),
    (
        gates.send_backs_go_up,
        lambda b: gate(b).update(send_back_to=["later"]),
        "stages[2].gate.send_back_to[0]",
    ),
    (
        gates.send_backs_have_a_target,
        lambda b: gate(b).update(send_back_to=[]),
        "stages[2].gate.send_back_to",
    ),
    (gates.deadlines_are_ordered, lambda b: gate(b).update(due="P9D"), "stages[2].gate.due"),
    (
        gates.blind_gates_open_up,
        lambda b: gate(b).update(blind=True, expires=None),
        "stages[2].gate.expires",
    ),
    (
        gates.blind_gates_open_up,
        lambda b: gate(b).update(blind=True, expires="PT6H", due=None),
        "stages[2].gate.reveal",
    ),
    (gates.blind_gates_open_up, lambda b: gate(b).update(reveal="PT1H"), "stages[2].gate.reveal"),
    (gates.effects_exist, lambda b: gate(b).update(effect="launch"), "stages[2].gate.effect"),
    (
        checks.checks_exist,
        lambda b: gate(b).update(checks=[{"name": "lucky"}]),
        "stages[2].gate.checks[0].name",
    ),
    (
        checks.checks_read_what_is_there,
        lambda b: gate(b)["checks"][0].update(params={"step": "tune.fitted"}),
        "stages[2].gate.checks[0].params.step",
    ),
    (
        checks.checks_read_what_is_there,
        lambda b: gate(b)["checks"][0].update(params={"item": "frame.letter"}),
        "stages[2].gate.checks[0].params.item",
    ),
    (
        conditions.conditions_are_closed,
        lambda b: gate(b).update(when="__import__('os')"),
        "stages[2].gate.when",
    ),
    (
        conditions.conditions_read_what_is_there,
        lambda b: b["stages"][SOURCE].update(when="facts.tune.fit.alerts > 0"),
        "stages[1].when",
    ),
    (
        conditions.conditions_read_what_is_there,
        lambda b: gate(b).update(when="facts.tune.fat.alerts > 0"),
        "stages[2].gate.when",
    ),
    (
        conditions.conditions_read_what_is_there,
        lambda b: gate(b).update(when="run.mood == 'x'"),
        "stages[2].gate.when",
    ),
    (
        conditions.conditions_read_what_is_there,
        lambda b: gate(b).update(when="item.frame.brief.moood == 'x'"),
        "stages[2].gate.when",
    ),
    (
        hand_offs.hand_offs_change_persona,
        lambda b: b["stages"][TUNE].update(hand_off={}),
        "stages[2].hand_off",
    ),
    (
        hand_offs.checklists_are_unique,
        lambda b: b["stages"][SOURCE]["hand_off"].update(checklist=[{"key": "a"}, {"key": "a"}]),
        "stages[1].hand_off.checklist",
    ),
    (
        hand_offs.contract_steps_are_judged,
        lambda b: b["stages"][SOURCE]["hand_off"].update(contract=[]),
        "stages[1].hand_off.contract",
    ),
]
NEED_MORE = {gates.enough_people, gates.earlier_deciders_leave_someone}  # have their own tests


def test_the_good_blueprint_has_no_problem() -> None:
    assert problems_of(good()) == []


@pytest.mark.parametrize(
    ("rule", "breaking", "path"),
    BROKEN,
    ids=[f"{rule.__module__.rsplit('.', 1)[1]}.{rule.__name__}-{path}" for rule, _, path in BROKEN],
)
def test_each_rule_names_the_place(rule: Rule, breaking: Breaking, path: str) -> None:
    body = good()
    breaking(body)
    known = Known(PERSONAS, OPERATIONS, CHECKS, EFFECTS, FEEDS)
    found = list(rule(parse(body), known))
    assert path in {problem.path for problem in found}
    assert set(found) <= set(problems_of(body))


def test_every_rule_has_a_blueprint_that_breaks_it() -> None:
    assert set(RULES) - NEED_MORE == {rule for rule, _, _ in BROKEN}
    assert len(RULES) == len(set(RULES))


def test_every_rule_that_is_written_is_listed() -> None:
    modules = (stages, steps, refs, items, gates, checks, conditions, hand_offs)
    written = {
        value
        for module in modules
        for name, value in vars(module).items()
        if callable(value)
        and getattr(value, "__module__", "") == module.__name__
        and not name.startswith("_")
    }
    assert written == set(lint_package.RULES)


def test_people_are_counted_where_they_are_known() -> None:
    found = problems_of(good(), people={"DS": 0})
    assert [(p.path, p.severity) for p in found] == [("stages[2].gate.rules[0]", "warning")]
    assert problems_of(good(), people={"DS": 1}) == []


def test_excluding_earlier_deciders_warns_where_they_are_the_same_persona() -> None:
    body = good()
    body["stages"][SOURCE]["gate"] = {
        "rules": [{"persona": "DS"}],
        "send_back_to": ["source"],
    }
    gate(body).update(exclude=["subject_author", "earlier_deciders"])
    assert [p.path for p in problems_of(body)] == ["stages[2].gate.exclude"]


def test_all_problems_come_at_once() -> None:
    body = good()
    body["stages"][0].update(needs=["tune"], persona="CEO")
    gate(body).update(rules=[{"persona": "DS", "min": 999}], send_back_to=["later"])
    body["stages"][1].update(max_rounds=-1)
    rules = {problem.rule for problem in problems_of(body)}
    assert {"cycle", "persona", "unsatisfiable", "send_back", "unbounded"} <= rules


def test_joined_branches_may_have_gates() -> None:
    body = good()
    side_branch(body)
    body["stages"].append(
        {
            "key": "join",
            "persona": "OPS",
            "needs": ["tune", "other"],
            "items": [{"key": "look", "kind": "review"}],
        }
    )
    assert problems_of(body) == []


def test_a_contract_step_serves_the_stages_after_it() -> None:
    body = good()
    fit(body)["inputs"]["table"] = "source.again.table"
    assert problems_of(body) == []


def test_a_whole_item_is_a_map() -> None:
    body = good()
    fit(body)["params"]["costs"] = {"ref": "item.frame.brief"}
    assert problems_of(body) == []
    fit(body)["params"]["columns"] = {"ref": "item.frame.brief"}
    assert [p.path for p in problems_of(body)] == ["stages[2].steps[0].params.columns"]
