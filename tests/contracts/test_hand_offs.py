"""Every change of persona in every shipped blueprint has the contract that the catalogue demands.

`DEMANDS` is the list of the catalogue's section 3.1, as checks: per change of stage what must be
green before an offer. `MADE_AGAIN` names the operations that have to run for it, as the sender's
work and in a process of their own.
"""

from collections.abc import Iterator

import pytest

from pipelines import catalogue
from pipelines.blueprints.refs import Ref, RefKind
from pipelines.blueprints.shipped import shipped, shipped_keys
from pipelines.blueprints.spec import Blueprint, StageDef
from pipelines.runs import helping
from pipelines.runs.actions.handoffs import RETURN_CODES

TOYS = {"hello", "sequence"}  # for the tour and for tests: nothing is learned in them
WATCHES = {"watch", "watch-alerts"}
MAIN = sorted(set(shipped_keys()) - TOYS - WATCHES)
FREE = {"anomaly-detection", "clustering"}  # there is no target: nothing to leak, no label
FILES = {"clustering"}  # delivered as a table: no deployment answers, so none is a canary
every_main = pytest.mark.parametrize("key", MAIN)

H1 = {"brief_complete", "kpi_mapped", "baseline_filled"}
H2 = {"schema_holds", "fresh_enough", "rows_enough", "label_share", "datasheet_filled"}
H3 = {"split_reproducible", "leakage_clean", "baseline_recorded"}
INTERFACE = {
    "loads_in_clean_environment", "schema_matches_serving", "golden_rows_equal",
    "latency_within_slo", "size_within_limit",
}  # fmt: skip
H4 = {"reproducible", "features_available"}
H5 = INTERFACE | {"bad_input_refused"}
H6 = {"canary_enough", "error_rate_ok", "rollback_ready", "rollback_drilled", "alert_routes_set"}
H7 = {"log_complete", "served_enough", "reference_set", "alert_routes_set"}
DEMANDS = {
    ("S0", "S1"): H1,
    ("S1", "S2"): H2,
    ("S2", "S3"): H3,
    ("S5", "S6"): H4 | H5,
    ("S6", "S7"): H4 | INTERFACE,
    ("S7", "S8"): INTERFACE | {"rollback_named"},
    ("S8", "S9"): H6,
    ("S9", "S10"): H7,
}
# What takes the place of a check where there is no target, or no deployment.
INSTEAD = {
    "anomaly-detection": {
        "rows_enough": "rows_to_learn", "label_share": None, "leakage_clean": "no_open_blocker",
        "baseline_recorded": None,
    },
    "clustering": {
        "rows_enough": "rows_to_learn", "label_share": None, "leakage_clean": "no_open_blocker",
        "baseline_recorded": None, "reproducible": "assignments_hold",
        "canary_enough": None, "error_rate_ok": None, "log_complete": "assignments_hold",
    },
    # Learned elsewhere: what can be made again is not the training but the scores.
    "brought-classification": {"reproducible": "scores_repeat"},
    "brought-regression": {"reproducible": "scores_repeat"},
}  # fmt: skip
SHOWN = {"no_overlap", "canary_agrees"}  # told to the receiver; what blocks is the gate before
MADE_AGAIN = {
    ("S1", "S2"): {"measure_age"},
    ("S2", "S3"): {"repeat_split"},
    ("S5", "S6"): {"retrain_clean", "package_model", "load_test"},
    ("S6", "S7"): {"load_test"},
    ("S7", "S8"): {"load_test"},
    ("S8", "S9"): {"measure_age"},
}
ALIKE = {
    "anomaly-detection": {"retrain_clean": "refit_anomalies"},
    "clustering": {
        "retrain_clean": "assign_clusters", "package_model": "pack_clusters",
        "load_test": "rehearse_segments",
    },
    "brought-classification": {"retrain_clean": "load_test"},
    "brought-regression": {"retrain_clean": "load_test"},
}  # fmt: skip


def changes(blueprint: Blueprint) -> Iterator[tuple[StageDef, StageDef]]:
    """Every pair of stages where the work passes to another persona."""
    by_key = {stage.key: stage for stage in blueprint.stages}
    for stage in blueprint.stages:
        for need in stage.needs:
            if by_key[need].persona != stage.persona:
                yield by_key[need], stage


def demanded(key: str, giver: StageDef, taker: StageDef) -> set[str]:
    """What the catalogue demands of this change; a delivery has no S9, so S8 promises both."""
    edge = (giver.code, taker.code)
    edges = [("S8", "S9"), ("S9", "S10")] if edge == ("S8", "S10") else [edge]
    wanted = set().union(*(DEMANDS[one] for one in edges))
    instead = INSTEAD.get(key, {})
    return {name for one in wanted if (name := instead.get(one, one))}


@every_main
def test_every_change_of_persona_has_the_contract_demanded(key: str) -> None:
    seen = set()
    for giver, taker in changes(shipped(key)):
        edge = f"{giver.code} {giver.persona} -> {taker.code} {taker.persona}"
        assert giver.hand_off is not None, edge
        assert giver.hand_off.accept == "required", edge
        blocking = {use.name for use in giver.hand_off.contract if use.blocking}
        assert demanded(key, giver, taker) - blocking == set(), edge
        assert {use.name for use in giver.hand_off.contract} - blocking <= SHOWN, edge
        seen.add(giver.code)
    assert seen == {"S0", "S1", "S2", "S5", "S6", "S7", "S8"} | (set() if key in FILES else {"S9"})


@every_main
def test_what_has_to_be_made_again_is_a_step_of_the_contract(key: str) -> None:
    for giver, taker in changes(shipped(key)):
        assert giver.hand_off is not None
        wanted = MADE_AGAIN.get((giver.code, taker.code if taker.code != "S10" else "S9"), set())
        alike = ALIKE.get(key, {})
        made = {step.operation for step in giver.hand_off.steps}
        assert {alike.get(one, one) for one in wanted} - made == set(), giver.key


@every_main
def test_a_contract_is_judged_by_steps_that_exist(key: str) -> None:
    """A misspelt step would leave a check without facts: red for ever, with nobody to blame."""
    blueprint = shipped(key)
    places = {f"{s.key}.{step.key}" for s in blueprint.stages for step in s.all_steps()}
    items = {f"{s.key}.{item.key}" for s in blueprint.stages for item in s.items}
    for stage in blueprint.stages:
        uses = (*(stage.hand_off.contract if stage.hand_off else ()),
                *(stage.gate.checks if stage.gate else ()))  # fmt: skip
        for use in uses:
            for name in ("step", "age_step"):
                if isinstance(use.params.get(name), str):
                    assert use.params[name] in places, (stage.key, use.name)
            if isinstance(use.params.get("item"), str):
                assert use.params["item"] in items, (stage.key, use.name)


@every_main
def test_no_check_stands_twice_in_a_contract(key: str) -> None:
    """A page shows the latest result of each name: two of one name would hide one another."""
    for giver, _ in changes(shipped(key)):
        assert giver.hand_off is not None
        names = [use.name for use in giver.hand_off.contract]
        assert len(names) == len(set(names)), giver.key


@every_main
def test_no_contract_is_green_on_nothing(key: str) -> None:
    for giver, _ in changes(shipped(key)):
        assert giver.hand_off is not None
        for use in giver.hand_off.contract:
            params = {n: v.default if isinstance(v, Ref) else v for n, v in use.params.items()}
            assert catalogue.check(use.name)({}, params).verdict != "pass", (giver.key, use.name)


@every_main
def test_the_drill_is_measured_and_judged_by_the_gate(key: str) -> None:
    stage = shipped(key).stage("deploy")
    step = stage.step("drill")
    (record,) = step.inputs["record"]
    assert (record.kind, record.name) == (RefKind.FEED, "rollback_drill")
    assert stage.gate is not None
    assert "rollback_drilled" in {use.name for use in stage.gate.checks if use.blocking}


@every_main
def test_h8_is_accepted_by_the_business_analyst(key: str) -> None:
    """It has no next stage: its tests are S10's, its acceptance the decision there."""
    gate = shipped(key).stage("monitor").gate
    assert gate is not None
    assert {rule.persona for rule in gate.rules} == {"BA"}
    assert {"card_in_words", "kpi_live"} <= {use.name for use in gate.checks if use.blocking}


@every_main
def test_h9_can_be_asked_in_every_kind(key: str) -> None:
    """ "Too complex for a simple model" needs a baseline attached: something has to score one."""
    steps = [step for stage in shipped(key).stages for step in stage.steps]
    scoring = {step.operation for step in steps} & helping.BASELINES.keys()
    assert scoring
    for name in scoring:
        outputs = {port.name for port in catalogue.spec(name).outputs}
        assert set(helping.BASELINES[name]) <= outputs


def test_every_return_names_its_reason() -> None:
    """H10: the codes of gates and those of hand-offs; an unknown or empty one is refused."""
    assert {"incomplete", "quality", "not_understood", "no_walk_through"} <= set(RETURN_CODES)


@pytest.mark.parametrize("key", sorted(WATCHES))
def test_a_watch_changes_no_persona(key: str) -> None:
    assert list(changes(shipped(key))) == []


def test_all_six_kinds_are_looked_at() -> None:
    assert set(MAIN) == {
        "tabular-classification", "tabular-regression", "forecasting", "clustering",
        "anomaly-detection", "text-classification",
        "brought-classification", "brought-regression",
    }  # fmt: skip
    assert set(MAIN) >= FREE | FILES
