"""W9 to W26 and the checks of worries: facts on which each speaks, and on which it must not."""

import copy
from collections.abc import Mapping

import numpy as np
import pytest

from personas.people import PERSONAS
from pipelines import catalogue
from pipelines.checks.contract import Json
from pipelines.checks.worries import LOOKS, look, worries, worry
from pipelines.checks.worries.catalogue import GROUPS, WORRIES
from pipelines.checks.worries.judging import by_prediction, harmful
from pipelines.checks.worries.looking import LEVELS, VERDICTS
from pipelines.checks.worries.meaning import meaning, what_to_do
from pipelines.checks.worries.searching import OF_FAMILY, PARAMETERS
from pipelines.operations.learning.settings import TUNABLES, VALUE_TUNABLES

Facts = dict[str, dict[str, Json]]
ALL = [f"W{n}" for n in range(1, 27)]


def column(name: str, role: str, **more: Json) -> dict[str, Json]:
    return {"column": name, "role": role, "transformer": "as said", "unknown": "refused"} | more


def trial(number: int, folds: list[float], **settings: Json) -> dict[str, Json]:
    return {"trial": number, "state": "complete", "rows": 100, "folds": folds, "settings": settings}


BEST = {"learning_rate": 0.1, "l2_regularization": 1.0, "max_iter": 100, "max_leaf_nodes": 31,
        "min_samples_leaf": 20, "max_features": 0.8}  # fmt: skip
GOOD: Facts = {
    "source.ingest": {"rows": 900},
    "explore.worries": {
        "rows": 900, "findings": [], "worries": dict.fromkeys(ALL[:8], "clear"), "reasons": {},
    },
    "explore.leakage": {
        "rows": 900, "suspects": [], "open": [], "future_times": [], "overlap_rows": 0,
        "holdout_rows": 300, "repeated_rows": 0, "threshold": 0.95, "measure": "AUC",
    },
    "features.build": {
        "columns_used": 4, "unmapped": [], "digest": "d1", "many_categories": [],
        "columns": [column("n", "number"), column("c", "category"), column("t", "text"),
                    column("when", "date")],
    },
    "tune.dummy": {"family": "dummy", "folds_digest": "f", "features_digest": "d1"},
    "tune.linear": {"family": "linear", "folds_digest": "f", "features_digest": "d1",
                    "fit_seconds": 0.5, "model_bytes": 2000},
    "tune.search": {
        "family": "boosting", "folds_digest": "f", "features_digest": "d1", "method": "TPE",
        "tried": 12, "space_size": 64_000_000, "budget": 300, "stopped_by": "trials",
        "tunables_searched": list(BEST), "border_hits": [], "borders": [], "settings": dict(BEST),
        "best_trial": 1, "trials": [trial(1, [0.7, 0.7], **BEST)],
    },
    "tune.select": {
        "families": ["dummy", "linear", "boosting"], "chosen_family": "boosting",
        "metric": "roc_auc",
        "candidates": [
            {"family": "dummy", "mean": 0.5, "folds": [0.5, 0.5, 0.5]},
            {"family": "linear", "mean": 0.7, "folds": [0.70, 0.69, 0.71]},
            {"family": "boosting", "mean": 0.75, "folds": [0.75, 0.745, 0.755]},
        ],
    },
    "evaluate.evaluate": {
        "metrics": {"roc_auc": {"value": 0.75, "low": 0.72, "high": 0.78}},
        "target_metric": {"metric": "roc_auc", "wanted": 0.7, "higher_is_better": True,
                          "value": 0.75, "low": 0.72, "high": 0.78, "met": True},
    },
    "evaluate.slices": {"slices": [], "looked_at": 8},
    "evaluate.explain": {
        "importance": [{"column": "n", "value": 0.04, "low": 0.03, "high": 0.05}], "columns": 4,
        "without_benefit": [], "harmful": [], "top_share": 0.5, "top_column": "n",
        "worst_errors": 50,
    },
    "evaluate.rows": {
        "errors_explained": 50, "explained": 70, "largest_gap": 1e-12, "rows": 300,
        "examples": [{"row": 7, "key": {"id": "k7"}, "why": "worst error", "score": 0.9,
                      "label": 0, "added": [{"column": "n", "value": 3.0, "added": 0.4}]}],
    },
    "operationalise.load_test": {"skew_rows": 0, "rows": 300},
    "item.evaluate.limits": {"understood": True},
}  # fmt: skip
SETS: Mapping[str, list[tuple[str, Mapping[str, Json]]]] = {
    "W6": [
        ("explore.leakage", {"suspects": [{"column": "n", "score": 0.99}], "open": ["n"]}),
        ("explore.leakage", {"open": ["when"], "future_times": [
            {"column": "when", "rows": 12, "row": 4, "value": "2026-01-01"}]}),
        ("explore.leakage", {"overlap_rows": 40, "overlap_first": [3, 9]}),
        ("explore.leakage", {"overlap_rows": 40, "repeated_rows": None}),
    ],
    "W7": [
        ("tune.search", {"features_digest": "d2"}),
        ("operationalise.load_test", {"skew_rows": 3}),
    ],
    "W9": [
        ("features.build", {"unmapped": [{"column": "x", "worry": "W9", "problem": "is mixed"}]}),
        ("features.build", {"columns": [column("n", "number", transformer="")]}),
    ],
    "W10": [("features.build", {"columns": [column("c", "category", unknown="")]})],
    "W11": [
        ("features.build", {"unmapped": [{"column": "id", "worry": "W4", "problem": "names rows"}]})
    ],
    "W12": [("features.build", {"columns": [column("when", "date", transformer=None)]})],
    "W13": [
        ("features.build", {"unmapped": [{"column": "x", "worry": "W13", "problem": "a list"}]})
    ],
    "W14": [
        ("features.build", {"unmapped": [{"column": "x", "worry": "W14", "problem": "a dict"}]})
    ],
    "W15": [
        ("tune.select", {"families": ["linear", "boosting"]}),
        ("tune.linear", {"folds_digest": "other"}),
    ],
    "W21": [("tune.search", {"tried": 4})],
    "W22": [
        ("tune.select", {"candidates": [
            {"family": "linear", "mean": 0.744, "folds": [0.70, 0.74, 0.79]},
            {"family": "boosting", "mean": 0.746, "folds": [0.72, 0.73, 0.79]}]}),
    ],
    "W23": [
        ("evaluate.evaluate", {"target_metric": {
            "metric": "roc_auc", "wanted": 0.74, "higher_is_better": True, "value": 0.75,
            "low": 0.72, "high": 0.78, "met": False}}),
        ("evaluate.evaluate", {"target_metric": None,
                               "metrics": {"roc_auc": {"value": 0.7, "low": None, "high": None}}}),
    ],
    "W24": [
        ("evaluate.explain", {"importance": [
            {"column": "c", "value": -0.02, "low": -0.025, "high": -0.015}]}),
        ("evaluate.slices", {"slices": [{"slice": "c = a", "column": "c", "verdict": "worse",
                                         "rows": 90}]}),
        ("evaluate.explain", {"top_share": 0.95}),
        ("evaluate.explain", {"without_benefit": ["t"]}),
    ],
    "W25": [
        ("evaluate.rows", {"errors_explained": 8}),
        ("evaluate.rows", {"largest_gap": 0.02}),
    ],
    "W26": [("item.evaluate.limits", {"understood": False})],
}  # fmt: skip
BORDER = {"W16": "learning_rate", "W17": "l2_regularization", "W18": "max_iter",
          "W19": "max_leaf_nodes"}  # fmt: skip


def changed(place: str, more: Mapping[str, Json]) -> Facts:
    facts = copy.deepcopy(GOOD)
    facts[place] = facts.get(place, {}) | dict(more)
    return facts


def on_border(name: str, folds: list[float]) -> Facts:
    """The best trial has the parameter at its upper end; another one inside has these scores."""
    inside = BEST | {name: 50.0}
    return changed("tune.search", {
        "border_hits": [name], "best_trial": 1,
        "borders": [{"name": name, "value": 100.0, "end": "high", "from": 20.0, "to": 100.0}],
        "settings": BEST | {name: 100.0},
        "trials": [trial(1, [0.70, 0.71, 0.72], **(BEST | {name: 100.0})),
                   trial(2, folds, **inside)],
    })  # fmt: skip


def without(*places: str, **more: Mapping[str, Json]) -> Facts:
    facts = {place: said for place, said in GOOD.items() if place not in places}
    return {**facts, **more}


@pytest.mark.parametrize("key", ALL)
def test_good_facts_leave_it_quiet(key: str) -> None:
    seen = look(key, GOOD)
    assert seen.level in ("clear", "does not apply"), seen
    assert seen.text
    assert worry(GOOD, {"id": key}).verdict == "pass"


@pytest.mark.parametrize(
    ("key", "place", "more"),
    [(key, *one) for key, listed in SETS.items() for one in listed],
)
def test_bad_facts_make_it_speak(key: str, place: str, more: Mapping[str, Json]) -> None:
    facts = changed(place, more)
    seen = look(key, facts)
    assert seen.level in ("note", "warn", "blocker"), seen
    said = worry(facts, {"id": key})
    assert said.verdict == VERDICTS[seen.level]
    assert said.details
    assert said.advice
    # nothing else is worried by it but what rests on the same facts
    others = {k for k in ALL if k != key and look(k, facts).level in ("warn", "blocker")}
    assert others <= {"W7", "W22", "W23", "W24"}


@pytest.mark.parametrize(("key", "name"), BORDER.items())
def test_a_best_value_at_the_end_of_its_range_counts_where_values_inside_are_worse(
    key: str, name: str
) -> None:
    worse = look(key, on_border(name, [0.60, 0.61, 0.62]))
    assert worse.level == "warn"
    assert name in worse.text
    assert f"Widen the range of {name}" in worse.advice
    assert look(key, on_border(name, [0.71, 0.70, 0.72])).level == "note"
    others = [k for k in BORDER if k != key]
    assert {look(k, on_border(name, [0.6, 0.6, 0.6])).level for k in others} == {"clear"}


def test_the_shape_of_the_function_speaks_where_a_family_has_one() -> None:
    assert "no activation" in look("W20", GOOD).text
    kernel = changed("tune.search", {
        "tunables_searched": [*BEST, "kernel"], "border_hits": ["kernel"],
        "borders": [{"name": "kernel", "value": 3, "end": "high", "from": 1, "to": 3}],
        "settings": BEST | {"kernel": 3}})  # fmt: skip
    assert look("W20", kernel).level == "warn"


def test_what_the_chosen_family_has_and_nobody_searched_is_noted() -> None:
    linear = changed("tune.select", {"chosen_family": "linear"})
    assert (look("W16", linear).level, look("W17", linear).level) == ("does not apply", "note")
    assert "not searched" in look("W17", linear).text


def test_the_parameters_are_those_that_families_have() -> None:
    for table in (TUNABLES, VALUE_TUNABLES):
        for family, tunables in table.items():
            assert {tunable.name for tunable in tunables} <= set(OF_FAMILY[family])
    named = {name for family in OF_FAMILY.values() for name in family}
    assert named <= {name for listed in PARAMETERS.values() for name in listed}


def test_a_search_without_a_log_blocks() -> None:
    assert look("W21", without("tune.search")).level == "blocker"
    grouped = {
        "tune.select": {"families": ["kmeans"], "candidates": [], "tried": 12, "family": "k"}
    }
    assert look("W21", grouped).level == "clear"


def test_of_detectors_the_gain_is_held_against_the_spread_of_both() -> None:
    def compared(forest: float) -> Facts:
        rows = [{"family": "robust_z", "mean": 0.5, "standard_error": 0.02},
                {"family": "neighbours", "mean": 0.6, "standard_error": 0.02},
                {"family": "forest", "mean": forest, "standard_error": 0.02}]  # fmt: skip
        return {"tune.select": {"families": ["forest"], "candidates": rows, "family": "forest"}}

    assert look("W22", compared(0.61)).level == "warn"
    assert look("W22", compared(0.7)).level == "clear"


AVERAGE = {"families": ["boosting", "linear"], "mean": 0.76, "folds": [0.76, 0.76, 0.76]}


@pytest.mark.parametrize(("gain", "level"), [(0.01, "note"), (0.001, "clear")])
def test_an_average_of_two_families_is_held_against_the_better_of_them(
    gain: float, level: str
) -> None:
    over = {"value": gain, "standard_error": 0.004}
    facts = changed("tune.select", {"average": {**AVERAGE, "over_best": over}})
    seen = look("W22", facts)
    assert seen.level == level
    assert (
        f"boosting and linear averaged, against boosting alone: {gain:+.4f} ± 0.0040" in seen.text
    )
    assert "boosting (boosting) against linear" in seen.text  # what was there before
    assert ("model of your own" in seen.advice) is (level == "note")
    assert len(seen.findings) == 2


def test_an_average_is_looked_at_without_any_other_ensemble_and_has_its_price() -> None:
    rows = [{"family": name, "mean": 0.7, "folds": [0.7, 0.7]} for name in ("text_svc", "linear")]
    average = {"families": ["text_svc", "linear"], "over_best": {"value": 0.0}}
    facts = changed("tune.select", {"candidates": rows, "average": average})
    facts["tune.svc"] = {"family": "text_svc", "fit_seconds": 1.5, "model_bytes": 8000}
    seen = look("W22", facts)
    assert (seen.level, len(seen.findings)) == ("clear", 1)
    assert "(spread unknown), for 2.0 to 1.5 s to fit, 10.0 to 8.0 kB" in seen.text


def test_losses_are_better_the_lower_they_are() -> None:
    rows = [{"family": "linear", "mean": 0.5, "folds": [0.5, 0.49, 0.51]},
            {"family": "boosting", "mean": 0.4, "folds": [0.4, 0.39, 0.41]}]  # fmt: skip
    better = changed("tune.select", {"metric": "log_loss", "candidates": rows})
    assert look("W22", better).level == "clear"
    worse = changed("tune.select", {"metric": "roc_auc", "candidates": rows})
    assert look("W22", worse).level == "warn"


@pytest.mark.parametrize("why", ["worst error", "worst error, too high", "worst error, too low"])
def test_worst_errors_of_classes_and_of_numbers_are_shown(why: str) -> None:
    examples = [{"row": 7, "key": {}, "why": why}, {"row": 8, "key": {}, "why": "drawn"}]
    told = {"errors_explained": 50, "explained": 70, "largest_gap": 0.0, "examples": examples}
    assert len(by_prediction({"evaluate.rows": told}).findings) == 1


def test_rows_shared_as_often_as_rows_repeat_are_chance() -> None:
    often = changed("explore.leakage", {"overlap_rows": 200, "repeated_rows": 600})
    assert look("W6", often).level == "note"
    rare = changed("explore.leakage", {"overlap_rows": 200, "repeated_rows": 60})
    assert look("W6", rare).level == "warn"


def test_an_answered_suspect_is_a_note_and_an_unscanned_class_counts() -> None:
    answered = changed("explore.leakage", {"suspects": [{"column": "n", "answer": "excluded"}]})
    assert look("W6", answered).level == "note"
    found = {"worry": "W6", "columns": ["x"], "value": 0.99, "message": "'x' alone", "rows": 9}
    unscanned = changed("explore.worries", {"findings": [found]})
    assert look("W6", unscanned).level == "blocker"
    unscanned["explore.leakage"]["threshold"] = 0.999
    assert look("W6", unscanned).level == "note"


def test_one_harmful_column_among_many_useless_ones_is_found() -> None:
    draw = np.random.default_rng(0)
    rows = [{"column": f"c{n}", "value": v, "low": v - 0.0196, "high": v + 0.0196}
            for n, v in enumerate(draw.normal(0, 0.01, 200))]  # fmt: skip
    below = [row["column"] for row in rows if row["high"] < 0]
    assert below  # one by one, chance calls some of them harmful
    assert harmful(rows) == []
    assert harmful([*rows, {"column": "bad", "value": -0.1, "low": -0.12, "high": -0.08}]) == [
        "bad"
    ]


def test_other_kinds_of_use_cases_have_their_own_evidence() -> None:
    segments: Facts = {
        "evaluate.judge": {"stability": {"value": 0.9, "low": 0.8}, "chance": {}, "segments": [{}],
                           "segment_names": ["1"]},
    }  # fmt: skip
    assert [look(key, segments).level for key in ("W23", "W24", "W25")] == [
        "clear", "clear", "does not apply",
    ]  # fmt: skip
    strange: Facts = {
        "evaluate.judge": {"metrics": {"recall": {"value": 0.9, "low": 0.8, "high": 1.0}},
                           "threshold_method": "x", "cases": [{}, {}], "case_names": ["1", "2"],
                           "importance": []},
    }  # fmt: skip
    assert [look(key, strange).level for key in ("W23", "W25")] == ["clear", "clear"]
    values = without("evaluate.rows")
    assert look("W25", values).level == "note"  # kept, and not explained
    assert look("W25", {"evaluate.explain": {"importance": [], "worst_errors": 0}}).level == "warn"


def test_the_statement_needs_both_voices_once_it_is_known_who_decided() -> None:
    def told(approved: bool) -> Facts:
        return GOOD | {"gate.understood": {"understood_approved": approved, "by": "Amara"}}

    assert (look("W26", told(False)).level, look("W26", told(True)).level) == ("note", "clear")
    assert "approved by Amara" in look("W26", told(True)).text


def test_without_facts_nothing_was_looked_at() -> None:
    for key in ALL:
        assert look(key, {}).level == "not looked at"
        assert worry({}, {"id": key}).verdict == "insufficient"
    assert worries({}, {}).verdict == "insufficient"
    assert worry(GOOD, {"id": "W99"}).verdict == "insufficient"


def test_several_in_one_row_the_worst_first() -> None:
    facts = changed("tune.search", {"tried": 4})
    facts["explore.leakage"] |= {"suspects": [{"column": "n"}], "open": ["n"]}
    said = worries(facts, {"of": ["W15", "W6", "W21", "W20"]})
    assert (said.verdict, said.value) == ("fail", 2.0)
    assert [row["severity"] for row in said.details] == [
        "blocker", "warn", "clear", "does not apply",
    ]  # fmt: skip
    assert said.details[0]["columns"] == "n"
    assert said.summary.startswith("Target leakage: n:")
    assert worries(GOOD, {"of": ["W15", "W6"]}).verdict == "pass"


def test_each_worry_has_a_detector_a_threshold_and_a_voice_for_everybody() -> None:
    assert [one.id for one in WORRIES] == ALL == sorted(LOOKS, key=lambda key: int(key[1:]))
    assert list(dict.fromkeys(one.group for one in WORRIES)) == list(GROUPS)
    codes = [persona.code for persona in PERSONAS]
    said = [meaning(key)[code] for key in ALL for code in codes]
    assert len(set(said)) == 26 * 7  # nobody is told what somebody else was told
    assert all(sentence.endswith((".", "?")) and len(sentence) < 140 for sentence in said)
    assert len({what_to_do(key) for key in ALL}) == 26
    assert set(VERDICTS) == set(LEVELS)
    assert catalogue.check("worry") is worry
    assert catalogue.check("worries") is worries
