"""Every shipped blueprint against the real catalogue: no problem, and every check can answer."""

from collections.abc import Mapping

import pytest

from personas.people import PERSONAS
from pipelines import catalogue
from pipelines.blueprints.lint import lint
from pipelines.blueprints.lint.walk import checks
from pipelines.blueprints.refs import Ref
from pipelines.blueprints.shipped import shipped, shipped_keys
from pipelines.blueprints.spec import CheckUse
from pipelines.checks.contract import CheckResult
from pipelines.operations.contract import Spec

CODES = tuple(persona.code for persona in PERSONAS)
every_blueprint = pytest.mark.parametrize("key", shipped_keys())

OWNERS = {
    "frame": ("S0", "BA", {"DS"}),
    "source": ("S1", "DE", {"DS"}),
    "explore": ("S2", "DS", {"MLR"}),
    "features": ("S3", "MLR", {"DE"}),
    "tune": ("S4", "MLR", set()),
    "evaluate": ("S5", "MLR", {"DS", "BA"}),
    "operationalise": ("S6", "SWE", {"OPS"}),
    "register": ("S7", "MLE", {"OPS"}),
    "deploy": ("S8", "OPS", {"SWE"}),
    "serve": ("S9", "MLE", None),
    "monitor": ("S10", "DS", {"BA"}),
}
CONTRACTS = {
    "frame": "H1",
    "source": "H2",
    "explore": "H3",
    "evaluate": "H4",
    "operationalise": "H4",
    "register": "H6",
    "deploy": "H6",
    "serve": "H7",
}


def operations() -> Mapping[str, Spec]:
    return {name: catalogue.spec(name) for name in catalogue.OPERATIONS}


@every_blueprint
def test_lint_finds_nothing(key: str) -> None:
    found = lint(
        shipped(key),
        personas=CODES,
        operations=operations(),
        checks=catalogue.CHECKS,
        effects=catalogue.EFFECTS,
        feeds=catalogue.FEEDS,
        people=dict.fromkeys(CODES, 1),
    )
    assert [str(problem) for problem in found] == []


@every_blueprint
def test_every_check_answers_without_facts(key: str) -> None:
    """A check whose facts are missing says so; it never raises under the gate's lock."""
    for path, _, use in checks(shipped(key)):
        params = {
            name: value.default if isinstance(value, Ref) else value
            for name, value in use.params.items()
        }
        result = catalogue.check(use.name)({}, params)
        assert isinstance(result, CheckResult), path
        assert result.verdict in ("insufficient", "fail"), (path, result.summary)


def test_owners_and_deciders_of_the_main_blueprint() -> None:
    stages = shipped("tabular-classification").stages
    found = {
        stage.key: (
            stage.code,
            stage.persona,
            {rule.persona for rule in stage.gate.rules} if stage.gate else None,
        )
        for stage in stages
    }
    assert found == OWNERS
    assert all(stage.persona not in (OWNERS[stage.key][2] or ()) for stage in stages)


def test_there_is_a_contract_at_every_change_of_persona() -> None:
    stages = shipped("tabular-classification").stages
    found = {stage.key: stage.hand_off for stage in stages if stage.hand_off}
    assert {key: hand_off.code for key, hand_off in found.items()} == CONTRACTS
    assert all(hand_off.contract for hand_off in found.values())


def test_evaluation_goes_back_to_features_first() -> None:
    gate = shipped("tabular-classification").stage("evaluate").gate
    assert gate is not None
    assert gate.send_back_to == ("features", "tune", "source")


def test_the_watch_asks_only_when_something_moved() -> None:
    blueprint = shipped("watch")
    (stage,) = blueprint.stages
    assert (blueprint.kind, stage.persona) == ("watch", "DS")
    assert stage.gate is not None
    assert "alerts > 0" in stage.gate.when
    assert [rule.persona for rule in stage.gate.rules] == ["MLE"]


@every_blueprint
def test_nobody_decides_on_the_stage_they_own(key: str) -> None:
    for stage in shipped(key).stages:
        deciders = {rule.persona for rule in stage.gate.rules} if stage.gate else set()
        assert stage.persona not in deciders, stage.key


@pytest.mark.parametrize("key", ["anomaly-detection", "clustering"])
def test_kinds_without_labels_have_the_same_owners_and_deciders(key: str) -> None:
    for stage in shipped(key).stages:
        code, persona, deciders = OWNERS[stage.key]
        found = {rule.persona for rule in stage.gate.rules} if stage.gate else None
        assert (stage.code, stage.persona, found) == (code, persona, deciders), stage.key
        follower = next((one for one in shipped(key).stages if stage.key in one.needs), None)
        if follower is not None and follower.persona != stage.persona:
            assert stage.key == "features" or (stage.hand_off and stage.hand_off.contract)


# What differs between the gates of a model that was brought and of one that Baton trained: what
# rests on its recipe is shown and blocks no more, and what stands in for it blocks instead.
BROUGHT_INSTEAD = {
    "features": ({"feature_tests"}, {"features_available"}),
    "tune": ({"search_logged"}, {"signature_holds", "golden_rows_brought?", "holdout_unseen"}),
    "operationalise": ({"reproducible"}, {"reproducible?", "scores_repeat"}),
}
OFFERED_INSTEAD = {
    "evaluate": ({"reproducible"}, {"signature_holds", "scores_repeat"}),
    "operationalise": ({"reproducible"}, {"scores_repeat"}),
}


def asked(uses: tuple[CheckUse, ...]) -> set[str]:
    """Names of checks; with a question mark those that do not block."""
    return {f"{use.name}{'' if use.blocking else '?'}" for use in uses}


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_brought_model_passes_the_same_gates(task: str) -> None:
    own, brought = shipped(f"tabular-{task}"), shipped(f"brought-{task}")
    assert [stage.key for stage in own.stages] == [stage.key for stage in brought.stages]
    for mine, theirs in zip(own.stages, brought.stages, strict=True):
        assert (mine.code, mine.persona, mine.needs) == (theirs.code, theirs.persona, theirs.needs)
        for part, instead in (("gate", BROUGHT_INSTEAD), ("hand_off", OFFERED_INSTEAD)):
            before, after = getattr(mine, part), getattr(theirs, part)
            assert (before is None) == (after is None)
            if before is None:
                continue
            less, more = instead.get(mine.key, (set(), set()))
            field = "checks" if part == "gate" else "contract"
            expected = (asked(getattr(before, field)) - less) | more
            assert asked(getattr(after, field)) == expected, (mine.key, part)
            if part == "gate":
                assert (before.rules, before.exclude) == (after.rules, after.exclude)


# What the data say is said of all rows, and the split is repeated on them; what is learned, and
# learned again, is of the sample that the model card speaks of.
OF_ALL = {"worries", "leakage", "baseline", "sample", "split_again"}
OF_THE_SAMPLE = {"build", "dummy", "linear", "search", "age", "retrain"}
BESIDE = OF_THE_SAMPLE - {"build", "search"}  # a brought model: only its yardsticks learn


@pytest.mark.parametrize(
    ("key", "of_all", "of_the_sample"),
    [
        ("tabular-classification", OF_ALL, OF_THE_SAMPLE),
        ("tabular-regression", OF_ALL, OF_THE_SAMPLE | {"coverage"}),
        ("brought-classification", OF_ALL | {"build"}, BESIDE),
        ("brought-regression", OF_ALL | {"build"}, BESIDE | {"coverage"}),
    ],
)  # fmt: skip
def test_what_learns_takes_the_sample(key: str, of_all: set[str], of_the_sample: set[str]) -> None:
    found: dict[str, set[str]] = {"explore.split.train": set(), "explore.sample.table": set()}
    for stage in shipped(key).stages:
        for step in (*stage.steps, *(stage.hand_off.steps if stage.hand_off else ())):
            for refs in step.inputs.values():
                for ref in refs:
                    found.get(ref.text, set()).add(step.key)
    assert found == {"explore.split.train": of_all, "explore.sample.table": of_the_sample}
