"""Rules about gates: a gate must be decidable, by others, in finite time."""

from collections import Counter
from collections.abc import Iterator

from pipelines.blueprints.graph import upstream
from pipelines.blueprints.lint.walk import Known, doubles, gates, listed, problem, warning
from pipelines.blueprints.problems import Problem
from pipelines.blueprints.spec import DEFAULT_REVEAL, Blueprint

MAX_DECIDERS = 20  # own: more distinct people than that are never found for one gate


def gates_ask_something(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A gate without checks and rules would open itself."""
    for path, _, gate in gates(blueprint):
        if not gate.checks and not gate.rules:
            yield problem(path, "empty", "has neither checks nor rules")
        elif not gate.rules and not any(check.blocking for check in gate.checks):
            yield problem(path, "empty", "has no rules and no blocking check, so it stops nothing")


def deciders_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Rules name personas, each once."""
    for path, _, gate in gates(blueprint):
        for index, rule in enumerate(gate.rules):
            if rule.persona not in known.personas:
                message = f"is no persona; known: {listed(known.personas)}"
                yield problem(f"{path}.rules[{index}].persona", "persona", message, rule.persona)
        for persona in doubles(rule.persona for rule in gate.rules):
            message = "is named by two rules; raise the min of one"
            yield problem(f"{path}.rules", "duplicate", message, persona)


def quorums_are_possible(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """At least one person decides, and no more than there can be."""
    for path, _, gate in gates(blueprint):
        for index, rule in enumerate(gate.rules):
            if not 1 <= rule.min <= MAX_DECIDERS:
                message = f"is unsatisfiable: must be 1 to {MAX_DECIDERS} people"
                yield problem(f"{path}.rules[{index}].min", "unsatisfiable", message, rule.min)
            if rule.percent is not None and not 1 <= rule.percent <= 100:
                where = f"{path}.rules[{index}].percent"
                yield problem(where, "unsatisfiable", "must be 1 to 100", rule.percent)


def enough_people(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Where the number of people is known, a rule may not ask for more of them."""
    if known.people is None:
        return
    for path, _, gate in gates(blueprint):
        for index, rule in enumerate(gate.rules):
            there = known.people.get(rule.persona, 0)
            if rule.min > there:
                message = f"needs {rule.min} distinct people of {rule.persona}; there are {there}"
                yield warning(f"{path}.rules[{index}]", "unsatisfiable", message, rule.min)


def not_owner_only(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Four eyes: the owner's own persona alone must not decide, since its author is excluded."""
    for path, stage, gate in gates(blueprint):
        personas = {rule.persona for rule in gate.rules}
        if personas == {stage.persona}:
            message = f"is unsatisfiable: only {stage.persona} decides, who owns the stage"
            yield problem(f"{path}.rules", "unsatisfiable", message, stage.persona)
        elif stage.persona in personas:
            message = f"asks {stage.persona}, who owns the stage, for a second person of it"
            yield warning(f"{path}.rules", "four_eyes", message, stage.persona)


def earlier_deciders_leave_someone(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """Excluding the deciders of earlier gates uses people up."""
    for path, stage, gate in gates(blueprint):
        if "earlier_deciders" not in gate.exclude:
            continue
        before = [blueprint.stage(key).gate for key in upstream(blueprint, stage.key)]
        used = Counter(rule.persona for earlier in before if earlier for rule in earlier.rules)
        for rule in gate.rules:
            if used[rule.persona]:
                message = (
                    f"excludes who decided before: needs {used[rule.persona] + rule.min} people"
                )
                yield warning(f"{path}.exclude", "unsatisfiable", message, rule.persona)


def send_backs_go_up(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A send-back goes to this stage or to one that it depends on."""
    keys = {stage.key for stage in blueprint.stages}
    for path, stage, gate in gates(blueprint):
        legal = upstream(blueprint, stage.key) | {stage.key}
        for index, target in enumerate(gate.send_back_to):
            where = f"{path}.send_back_to[{index}]"
            if target not in keys:
                yield problem(where, "send_back", f"is no stage; known: {listed(keys)}", target)
            elif target not in legal:
                message = f"is not upstream of {stage.key}; upstream: {listed(legal)}"
                yield problem(where, "send_back", message, target)


def send_backs_have_a_target(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """People can request changes at any gate with rules, so there must be a way back."""
    for path, _, gate in gates(blueprint):
        if gate.rules and not gate.send_back_to:
            yield problem(f"{path}.send_back_to", "send_back", "must name at least one stage")


def deadlines_are_ordered(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A reminder comes before the end."""
    for path, _, gate in gates(blueprint):
        if gate.due and gate.expires and gate.due > gate.expires:
            yield problem(f"{path}.due", "deadline", "must not be later than expires")


def blind_gates_open_up(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """A blind gate ends by time, and hides something: two people decide in it, or more."""
    for path, _, gate in gates(blueprint):
        if not gate.blind:
            if gate.reveal != DEFAULT_REVEAL:
                yield warning(f"{path}.reveal", "blind", "has no meaning: the gate is not blind")
            continue
        if gate.expires is None:
            message = "must be set: a blind gate is revealed when half of it is over"
            yield problem(f"{path}.expires", "blind", message)
        elif gate.reveal >= gate.expires / 2:
            message = "must be shorter than half of expires, which begins it at the latest"
            yield problem(f"{path}.reveal", "blind", message)
        counted = all(rule.percent is None for rule in gate.rules)
        if counted and sum(rule.min for rule in gate.rules) < 2:
            message = "hides nothing: fewer than two people decide here"
            yield warning(f"{path}.blind", "blind", message)


def effects_exist(blueprint: Blueprint, known: Known) -> Iterator[Problem]:
    """The gate's effect is one that exists."""
    for path, _, gate in gates(blueprint):
        if gate.effect and gate.effect not in known.effects:
            message = f"is no effect; known: {listed(known.effects)}"
            yield problem(f"{path}.effect", "effect", message, gate.effect)
