"""Models that people bring: what is admitted scores as it did; what lies about itself does not."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import skops.io
from onnx import TensorProto, helper, numpy_helper
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipelines import catalogue
from pipelines.checks.brought import golden_rows_brought, scores_repeat, signature_holds
from pipelines.operations.admit_model import compute, probe
from pipelines.operations.admit_model.spec import SPEC
from pipelines.operations.brought.example import (
    BIAS,
    PLACES,
    WEIGHTS,
    Bringing,
    declaration,
    logistic_graph,
    write_all,
    write_graph,
)
from pipelines.operations.contract import Context, Json, OperationError, Outcome, clean_params
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import open_candidate
from pipelines.operations.learning.example import rows
from pipelines.operations.packages.loaded import load_package, scores_of
from pipelines.operations.tables import read_document, read_table, write_document

NUMBERS = [{"name": "wind", "type": "number"}, {"name": "seats", "type": "number"}]
Made = dict[str, Any]


@dataclass
class Desk:
    """A folder in which models are brought and admitted; the clean process runs in this one."""

    folder: Path

    def bring(self, model: onnx.ModelProto | bytes | None = None, **stated: Any) -> Bringing:
        made = write_all(self.folder, declaration(**stated))
        if isinstance(model, bytes):
            made.model.write_bytes(model)
        elif model is not None:
            write_graph(made.model, model)
        return made

    def admit(self, made: Bringing, golden: Path | None = None, **params: Json) -> Outcome:
        inputs = made.inputs() | ({"golden": golden} if golden else {})
        given = clean_params(SPEC, {"rows": 120, "singles": 10, **params})
        return compute.run(Context(SPEC, self.folder, inputs=inputs, params=given, seed=1))

    def refusal(self, made: Bringing, **more: Any) -> OperationError:
        with pytest.raises(OperationError) as caught:
            self.admit(made, **more)
        return caught.value

    def scores(self, made: Bringing) -> np.ndarray:
        model = store.load(self.admit(made).outputs["candidate"])
        return np.asarray(scores_of(model, read_table(made.holdout)))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    def here(module: str, request: dict[str, Json], *, seconds: float) -> dict[str, Json]:
        return probe.probe(request)

    monkeypatch.setattr(compute, "run_clean", here)
    return Desk(tmp_path)


def by_hand(frame: pd.DataFrame) -> np.ndarray:
    """The scores of the example's graph, computed without it."""
    place = frame["place"].map({name: at for at, name in enumerate(PLACES)}).fillna(-1)
    seats = frame["seats"].fillna(150)
    total = WEIGHTS[0] * frame["wind"] + WEIGHTS[1] * seats + WEIGHTS[2] * place + BIAS
    return np.asarray(1 / (1 + np.exp(-total)))


def test_a_graph_scores_as_it_did_elsewhere(desk: Desk) -> None:
    made = desk.bring()
    assert np.allclose(desk.scores(made), by_hand(read_table(made.holdout)), atol=1e-6)


def test_the_positive_class_is_the_runs_not_the_models(desk: Desk) -> None:
    """Declared as (1, 0), the one column of the graph is the probability of 0."""
    made = desk.bring(classes=[1, 0])
    assert np.allclose(desk.scores(made), 1 - by_hand(read_table(made.holdout)), atol=1e-6)


def test_equal_files_give_equal_candidates(desk: Desk) -> None:
    made = desk.bring()
    first = desk.admit(made).outputs["candidate"].read_bytes()
    assert desk.admit(made).outputs["candidate"].read_bytes() == first


def test_a_candidate_says_that_it_was_brought(desk: Desk) -> None:
    path = desk.admit(desk.bring()).outputs["candidate"]
    found = open_candidate(path, Context(SPEC, desk.folder))
    assert (found.brought, found.family, found.classes) == (True, "brought in", (0, 1))
    assert "settings" not in found.about


def perform(desk: Desk, name: str, candidate: Path, made: Bringing, **more: Path) -> Outcome:
    """An operation of the catalogue on the candidate."""
    spec = catalogue.spec(name)
    files = {"candidate": candidate, "train": made.train, "holdout": made.holdout, **more}
    ports = {port.name for port in spec.inputs}
    folder = desk.folder / name
    folder.mkdir()
    params = {"samples": 100} if any(p.name == "samples" for p in spec.params) else {}
    given = {port: path for port, path in files.items() if port in ports}
    if name == "package_model":
        params = {"threshold": 0.4, "golden": 50}
    context = Context(spec, folder, inputs=given, params=clean_params(spec, params), seed=1)
    outcome = catalogue.resolve(name)(context)
    assert isinstance(outcome, Outcome)
    return outcome


def test_what_needs_only_answers_takes_it_and_the_rest_says_why_not(desk: Desk) -> None:
    made = desk.bring()
    candidate = desk.admit(made).outputs["candidate"]
    explained = perform(desk, "explain_model", candidate, made).facts
    assert explained["columns"] == 3
    aged = perform(desk, "age_model", candidate, made).facts
    assert (aged["aged"], "trained elsewhere" in str(aged["not_aged"])) == (False, True)
    assert perform(desk, "evaluate_slices", candidate, made).facts["looked_at"]
    packed = perform(desk, "package_model", candidate, made)
    assert packed.facts["scoring_path"] == "ONNX Runtime"
    assert "onnxruntime" in packed.facts["environment"]["packages"]  # type: ignore[index,operator,call-overload]
    loaded = load_package(packed.outputs["package"])
    row = {"wind": 30.0, "seats": None, "place": "CDG"}
    expected = by_hand(pd.DataFrame([{**row, "seats": np.nan}]))[0]
    assert loaded.predict([row]).scores[0] == pytest.approx(expected, abs=1e-6)


# --- files ---------------------------------------------------------------------------------


def test_a_pickle_under_another_name_is_refused_before_it_is_opened(desk: Desk) -> None:
    refused = desk.refusal(desk.bring(b"\x80\x04\x95 whatever"))
    assert (refused.code, refused.value) == ("model_refused", "pickle")
    assert "runs whatever code it names" in refused.message


def test_what_is_too_large_is_refused(desk: Desk) -> None:
    refused = desk.refusal(desk.bring(b"\x08" + b"\0" * 1_100_000), max_mib=1)
    assert refused.code == "model_too_large"
    assert "limit is 1 MiB" in refused.message


def test_what_only_begins_as_a_graph_is_refused(desk: Desk) -> None:
    assert desk.refusal(desk.bring(b"\x08\x09 and no more")).code == "unreadable_model"
    cut = logistic_graph().SerializeToString()[:-20]
    assert desk.refusal(desk.bring(cut)).code == "unreadable_model"


def outside(model: onnx.ModelProto) -> onnx.ModelProto:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    tensor.ClearField("raw_data")
    return model


def test_weights_in_other_files_are_refused(desk: Desk) -> None:
    refused = desk.refusal(desk.bring(outside(logistic_graph())))
    assert (refused.code, refused.value) == ("external_data", ["../../etc/passwd"])


def branched(node: onnx.NodeProto) -> tuple[onnx.NodeProto, onnx.NodeProto]:
    """The node inside the branches of an If, behind a constant that is always true."""
    value = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, [None, 1])
    inner = helper.make_graph([node], "branch", [], [value])
    true = numpy_helper.from_array(np.asarray(True), "true")
    return (
        helper.make_node("Constant", [], ["true"], value=true),
        helper.make_node("If", ["true"], ["chosen"], then_branch=inner, else_branch=inner),
    )


CUSTOM = helper.make_node("Anything", ["sum"], ["odd"], domain="com.example")
CHANCE = helper.make_node("RandomNormalLike", ["sum"], ["odd"])


@pytest.mark.parametrize(
    ("node", "code", "named"),
    [
        (CUSTOM, "custom_operators", "com.example.Anything"),
        (CHANCE, "random_operators", "RandomNormalLike"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_operators_that_are_not_standard_are_refused_wherever_they_are(
    node: onnx.NodeProto, code: str, named: str, nested: bool, desk: Desk
) -> None:
    nodes = branched(node) if nested else (node,)
    refused = desk.refusal(desk.bring(logistic_graph(nodes=nodes)))
    assert refused.code == code
    assert refused.value == [named]


# --- graphs that lie about themselves -------------------------------------------------------


def columns(*kinds: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in kinds]


PLACE = {"name": "place", "type": "text", "categories": list(PLACES), "missing": -1}
LIES: list[tuple[str, Made, Made, str]] = [
    ("fewer columns", {"columns": NUMBERS}, {}, "takes 3 column(s), declared are 2"),
    ("an input that is none", {"inputs": {"X": ["wind", "seats", "place"]}}, {}, "no input 'X'"),
    ("an output that is none", {"output": "label"}, {}, "no output 'label'"),
    ("texts for numbers", {"columns": [*NUMBERS, {"name": "place", "type": "text"}]}, {},
     "declare its categories"),
    ("time for float32", {"columns": [*NUMBERS, {"name": "booked", "type": "time"}]}, {},
     "too coarse"),
    ("one row at a time", {}, {"batch": 1}, "takes exactly 1 row(s) at a time"),
    ("a logit for a probability", {}, {"last": "Identity"}, "as probabilities"),
    ("more than 1", {}, {"last": "Exp"}, "as probabilities"),
    ("no number at all", {}, {"last": "Log"}, "nan"),
    ("flags for probabilities", {}, {"last": "IsNaN"}, "tensor(bool)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stated", "built", "text"), [r[1:] for r in LIES], ids=[r[0] for r in LIES]
)
def test_a_graph_that_lies_about_itself_is_refused(
    stated: Made, built: Made, text: str, desk: Desk
) -> None:
    model = logistic_graph(**built)
    if built.get("last") == "IsNaN":
        model.graph.output[0].type.tensor_type.elem_type = TensorProto.BOOL
    refused = desk.refusal(desk.bring(model, **stated))
    assert refused.code == "signature_differs"
    assert text in refused.message


def test_every_difference_is_told_at_once(desk: Desk) -> None:
    stated = declaration(columns=NUMBERS, output="label")
    refused = desk.refusal(desk.bring(logistic_graph(batch=5), **stated))
    assert len(refused.details) == 3


def of_maps(keys: list[int]) -> onnx.ModelProto:
    """As skl2onnx writes a classifier: a list of maps, whose classes the node names."""
    weight = np.asarray([[-0.1, 0.1], [0, 0], [0, 0]], dtype=np.float32)
    nodes = [
        helper.make_node("MatMul", ["rows", "weight"], ["product"]),
        helper.make_node("Softmax", ["product"], ["pairs"], axis=1),
        helper.make_node(
            "ZipMap", ["pairs"], ["probability"], domain="ai.onnx.ml", classlabels_int64s=keys
        ),
    ]
    answer = helper.make_sequence_type_proto(
        helper.make_map_type_proto(
            TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        )
    )
    graph = helper.make_graph(
        nodes, "late",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, 3])],
        [helper.make_value_info("probability", answer)],
        [numpy_helper.from_array(weight, "weight")],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def test_classes_that_the_graph_names_must_be_the_declared_ones(desk: Desk) -> None:
    assert "its node names the classes 1, 0" in desk.refusal(desk.bring(of_maps([1, 0]))).message
    assert "classes 0, 7" in desk.refusal(desk.bring(of_maps([0, 7]))).message


def test_maps_are_read_by_their_classes(desk: Desk) -> None:
    made = desk.bring(of_maps([0, 1]))
    wind = read_table(made.holdout)["wind"]
    assert np.allclose(desk.scores(made), 1 / (1 + np.exp(-0.2 * wind)), atol=1e-6)


def test_two_columns_must_sum_to_one(desk: Desk) -> None:
    model = of_maps([0, 1])
    del model.graph.node[1:]
    model.graph.node[0].output[0] = "probability"
    model.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 2])
    )
    refused = desk.refusal(desk.bring(model))
    assert "no probabilities of two classes" in refused.message


def test_an_output_has_to_be_named_where_several_could_be_it(desk: Desk) -> None:
    model = logistic_graph()
    model.graph.output.append(helper.make_tensor_value_info("sum", TensorProto.FLOAT, [None, 1]))
    assert "2 of its outputs could be" in desk.refusal(desk.bring(model)).message
    assert np.isfinite(desk.scores(desk.bring(model, output="probability"))).all()


def over_the_batch() -> onnx.ModelProto:
    """A graph that answers a row by the mean of all rows it is asked with."""
    mean = helper.make_node("ReduceMean", ["sum"], ["mean"], axes=[0], keepdims=1)
    return logistic_graph(nodes=[mean, helper.make_node("Sub", ["sum", "mean"], ["centred"])])


def test_an_answer_that_depends_on_other_rows_is_found(desk: Desk) -> None:
    facts = desk.admit(desk.bring(over_the_batch())).facts
    broken = [test["test"] for test in facts["tests"] if not test["passed"]]  # type: ignore[index,union-attr,call-overload]
    assert broken == ["one row at a time"]
    assert signature_holds({"tune.admit": facts}, {}).verdict == "fail"
    assert scores_repeat({"tune.admit": facts}, {}).verdict == "fail"


def test_a_value_that_may_be_missing_must_not_break_it(desk: Desk) -> None:
    made = desk.bring(
        columns=[NUMBERS[0], {"name": "seats", "type": "number", "missing": 1}, PLACE]
    )
    failed = [t for t in desk.admit(made).facts["tests"] if not t["passed"]]  # type: ignore[index,union-attr,call-overload]
    assert [test["test"] for test in failed] == ["missing values"]
    assert [row["column"] for row in failed[0]["failures"]] == ["wind"]


# --- golden rows ----------------------------------------------------------------------------


def golden(desk: Desk, shift: float = 0.0, **changes: Any) -> Path:
    frame = rows(20)[["wind", "seats", "place"]]
    scores = by_hand(frame) + shift * (np.arange(20) == 3)
    plain = json.loads(frame.to_json(orient="records"))
    document = {"rows": plain, "scores": scores.tolist(), **changes}
    return write_document(desk.folder / "golden.json", document)


def test_golden_rows_come_out_again(desk: Desk) -> None:
    facts = desk.admit(desk.bring(), golden=golden(desk)).facts
    found = golden_rows_brought({"tune.admit": facts}, {})
    assert (found.verdict, facts["tests_failed"]) == ("pass", 0)


def test_golden_rows_with_another_score_are_named(desk: Desk) -> None:
    facts = desk.admit(desk.bring(), golden=golden(desk, shift=0.01)).facts
    found = golden_rows_brought({"tune.admit": facts}, {})
    assert found.verdict == "fail"
    assert found.details[0]["row"] == 3
    assert signature_holds({"tune.admit": facts}, {}).verdict == "fail"


def test_without_golden_rows_nothing_is_claimed(desk: Desk) -> None:
    facts = desk.admit(desk.bring()).facts
    assert golden_rows_brought({"tune.admit": facts}, {}).verdict == "insufficient"
    assert signature_holds({"tune.admit": facts}, {}).verdict == "pass"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"scores": [0.5]}, "20 rows and 1 scores"),
        ({"scores": ["high"] * 20}, "a score is no number"),
        ({"rows": [{"wind": 1}] * 20}, "'seats': is missing"),
        ({"rows": [{"wind": "x", "seats": 1, "place": "AMS"}] * 20}, "must be a number"),
        ({"rows": {}}, "need rows and scores"),
    ],
)
def test_golden_rows_that_cannot_be_read_are_refused(changes: Made, text: str, desk: Desk) -> None:
    refused = desk.refusal(desk.bring(), golden=golden(desk, **changes))
    assert refused.code == "golden_rows_wrong"
    assert text in refused.message


# --- skops ----------------------------------------------------------------------------------


class Stranger(ClassifierMixin, BaseEstimator):
    """A type that nobody has looked at."""

    classes_ = (0, 1)
    feature_names_in_ = ("wind", "seats")

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        return np.full((len(frame), 2), 0.5)


def numbers() -> tuple[pd.DataFrame, pd.Series]:
    frame = rows()
    return frame[["wind", "seats"]].fillna(150), frame["late"]


def kept(desk: Desk, model: Any, **stated: Any) -> Bringing:
    return desk.bring(skops.io.dumps(model), **{"columns": NUMBERS, **stated})


FITTED: Mapping[str, Callable[[], Any]] = {
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()).fit(*numbers()),
    "forest": lambda: RandomForestClassifier(5, max_depth=4, random_state=0).fit(*numbers()),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=5).fit(*numbers()),
}


@pytest.mark.parametrize("name", FITTED)
def test_a_skops_model_scores_as_it_did_elsewhere(name: str, desk: Desk) -> None:
    model = FITTED[name]()
    stated = [{**column, "missing": 150} for column in NUMBERS]
    made = kept(desk, model, columns=stated)
    frame = read_table(made.holdout)[["wind", "seats"]].fillna(150)
    assert np.array_equal(desk.scores(made), model.predict_proba(frame)[:, 1])


def test_declared_categories_reach_a_model_as_it_was_trained(desk: Desk) -> None:
    frame = rows()[["place"]].astype({"place": pd.CategoricalDtype(list(PLACES))})
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype")
    model.fit(frame, rows()["late"])
    made = kept(desk, model, columns=[{**PLACE, "missing": None}])
    held = read_table(made.holdout)[["place"]].astype(frame.dtypes)
    assert np.array_equal(desk.scores(made), model.predict_proba(held)[:, 1])


def test_types_that_are_not_on_the_list_are_named(desk: Desk) -> None:
    refused = desk.refusal(kept(desk, Stranger()))
    assert refused.code == "untrusted_types"
    assert refused.value == [f"{__name__}.Stranger"]


@pytest.mark.parametrize(
    ("model", "stated", "text"),
    [
        (FITTED["logistic"], {"classes": [1, 0]}, "its classes are 0, 1"),
        (FITTED["logistic"], {"columns": NUMBERS[:1]}, "it takes 'seats', which is not declared"),
        (FITTED["logistic"], {"columns": NUMBERS[::-1]}, "in another order: wind, seats"),
        (FITTED["logistic"], {"columns": [*NUMBERS, PLACE]}, "does not take 'place'"),
        (FITTED["logistic"], {"output": "label"}, "are for ONNX graphs"),
        (lambda: Ridge().fit(*numbers()), {}, "which gives no probabilities"),
    ],
)
def test_a_skops_model_that_lies_about_itself_is_refused(
    model: Callable[[], Any], stated: Made, text: str, desk: Desk
) -> None:
    refused = desk.refusal(kept(desk, model(), **stated))
    assert refused.code == "signature_differs"
    assert text in refused.message


def test_a_model_that_cannot_take_the_rows_is_refused(desk: Desk) -> None:
    """Trained on rows without gaps, declared without a replacement for them."""
    refused = desk.refusal(kept(desk, FITTED["logistic"]()))
    assert refused.code == "model_refuses_rows"
    assert "NaN" in refused.message


def altered_tree() -> Any:
    """A forest whose first tree goes round in a circle."""
    model = RandomForestClassifier(1, max_depth=2, random_state=0).fit(*numbers())
    tree = model.estimators_[0].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][1] = 0
    tree.__setstate__(state)
    return model


def altered_boosting() -> Any:
    model = HistGradientBoostingClassifier(max_iter=1).fit(*numbers())
    model._predictors[0][0].nodes["feature_idx"][0] = 9_999
    return model


@pytest.mark.parametrize("make", [altered_tree, altered_boosting])
def test_a_tree_that_cannot_be_walked_is_refused_before_it_is(
    make: Callable[[], Any], desk: Desk
) -> None:
    assert desk.refusal(kept(desk, make())).code == "broken_tree"


# --- declarations ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"format": "1"}, "format: must be 'baton/brought/1'"),
        ({"task": "ranking"}, "task: must be one of"),
        ({"classes": list(range(21))}, "classes: must be 2 to 20, got 21"),
        ({"classes": ["only"]}, "classes: must be 2 to 20, got 1"),
        ({"classes": [0, 1, " "]}, "classes: must have names of 1 to 200 characters"),
        ({"classes": ["1", 1]}, "'1' is listed 2 times"),
        ({"columns": [{**PLACE, "free": True}]}, "free is for texts without categories"),
        ({"columns": []}, "must list 1 to"),
        ({"columns": [*NUMBERS, NUMBERS[0]]}, "'wind' is listed 2 times"),
        ({"columns": columns(("late", "integer"))}, "'late' is the target"),
        ({"columns": columns(("wind", "float32"))}, "type must be one of"),
        ({"columns": [{"name": "wind", "type": "number", "categories": ["a"]}]}, "are for texts"),
        ({"inputs": {"rows": ["wind", "speed"]}}, "'speed' is no column"),
        ({"weights": 1}, "weights: is unknown"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused(changes: Made, text: str, desk: Desk) -> None:
    made = desk.bring()
    write_document(made.declaration, declaration(**changes))
    refused = desk.refusal(made)
    assert refused.code == "declaration_wrong"
    assert text in refused.message


def test_features_of_another_declaration_are_refused(desk: Desk) -> None:
    made = desk.bring()
    features = read_document(made.features)
    assert isinstance(features["columns"], list)
    write_document(made.features, {**features, "columns": features["columns"][:2]})
    assert desk.refusal(replace(made)).code == "features_differ"
