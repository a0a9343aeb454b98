"""lint(blueprint, ...) -> every problem at once. A rule is one small function in RULES."""

from collections.abc import Collection, Mapping

from pipelines.blueprints.lint import (
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
from pipelines.blueprints.problems import Problem
from pipelines.blueprints.spec import Blueprint
from pipelines.operations.contract import Spec

RULES: tuple[Rule, ...] = (
    stages.has_stages,
    stages.keys_are_unique,
    stages.keys_are_free,
    stages.personas_exist,
    stages.needs_exist,
    stages.no_cycle,
    stages.loops_are_bounded,
    stages.stages_do_something,
    stages.gated_branches_meet,
    steps.operations_exist,
    steps.effects_exist,
    steps.keys_are_unique,
    steps.ports_are_fed,
    steps.literals_are_legal,
    steps.after_exists,
    steps.no_circle_in_a_stage,
    refs.inputs_exist,
    refs.media_fit,
    refs.skipped_stages_give_nothing,
    refs.values_exist,
    refs.entries_exist,
    items.item_personas_exist,
    items.items_ask_something,
    items.fields_are_unique,
    items.fields_can_be_filled,
    items.parameters_are_legal,
    gates.gates_ask_something,
    gates.deciders_exist,
    gates.quorums_are_possible,
    gates.enough_people,
    gates.not_owner_only,
    gates.earlier_deciders_leave_someone,
    gates.send_backs_go_up,
    gates.send_backs_have_a_target,
    gates.deadlines_are_ordered,
    gates.blind_gates_open_up,
    gates.effects_exist,
    checks.checks_exist,
    checks.checks_read_what_is_there,
    conditions.conditions_are_closed,
    conditions.conditions_read_what_is_there,
    hand_offs.hand_offs_change_persona,
    hand_offs.checklists_are_unique,
    hand_offs.contract_steps_are_judged,
)


def lint(
    blueprint: Blueprint,
    *,
    personas: Collection[str],
    operations: Mapping[str, Spec],
    checks: Collection[str],
    effects: Collection[str],
    feeds: Collection[str],
    people: Mapping[str, int] | None = None,
    refused: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Every problem, errors and warnings, in the order of the file's parts.

    `people` says how many can act as each persona; without it, nobody is counted. `refused` says
    why an operation that a package brings cannot be used.
    """
    known = Known(personas, operations, checks, effects, feeds, people, refused or {})
    return [problem for rule in RULES for problem in rule(blueprint, known)]
