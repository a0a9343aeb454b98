"""A brought model of three classes, and one that reads free texts: admitted, judged, served."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import skops.io
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from pipelines import catalogue
from pipelines.operations.admit_model import compute, probe
from pipelines.operations.brought.estimators import BroughtClasses
from pipelines.operations.contract import Context, Json, OperationError, Outcome, clean_params
from pipelines.operations.learning.example import write_contract
from pipelines.operations.learning.example_classes import CLASSES, rows
from pipelines.operations.packages.loaded import load_package
from pipelines.operations.tables import read_document, read_table, write_document, write_table
from pipelines.serving.drill import Golden, rows_right

NUMBERS = ("wind", "seats")
NOTES = {"diverted": "storm over the field", "late": "waiting for crew", "on time": "all is well"}
WEIGHTS = np.asarray([[0.0, 0.1, 0.3], [0.0, 0.001, -0.002]], dtype=np.float32)


@dataclass
class Desk:
    """A folder in which a model goes from its file to its package; every step in this process."""

    folder: Path

    def bring(self, model: bytes, kind: str = "onnx", **stated: Any) -> None:
        for name, count, seed, start in (("train", 600, 1, "2024-01-01"),
                                         ("holdout", 400, 2, "2024-03-01")):  # fmt: skip
            write_table(told(count, seed, start), self.folder / f"{name}.parquet")
        write_contract(self.folder)
        contract = read_document(self.folder / "contract.json")
        assert isinstance(contract["columns"], list)
        contract["columns"].append({"name": "outcome", "type": "text", "available": "after"})
        write_document(self.folder / "contract.json", contract)
        (self.folder / "model").write_bytes(model)
        columns = [{"name": name, "type": "number", "missing": 150} for name in NUMBERS]
        document = {
            "format": "baton/brought/1", "task": "classification", "target": "outcome",
            "classes": list(CLASSES), "columns": columns, **stated,
        }  # fmt: skip
        write_document(self.folder / "declaration.json", document)
        self.made = {
            "train": self.folder / "train.parquet", "holdout": self.folder / "holdout.parquet",
            "contract": self.folder / "contract.json", "model": self.folder / "model",
            "declaration": self.folder / "declaration.json",
        }  # fmt: skip

    def perform(self, name: str, **params: Json) -> dict[str, Any]:
        """The facts of an operation of the catalogue; its outputs become inputs of later ones."""
        spec = catalogue.spec(name)
        folder = self.folder / name / str(params.get("family", ""))
        folder.mkdir(parents=True)
        known = {param.name for param in spec.params}
        few = {"samples": 100, "rows": 120, "singles": 5, "target": self.target}
        asked = {key: value for key, value in few.items() if key in known}
        given = {port.name: self.made[port.name] for port in spec.inputs if port.name in self.made}
        many = {"models": self.trained} if name == "compare_candidates" else {}
        context = Context(
            spec, folder, inputs=given, many=many, seed=1,
            params=clean_params(spec, {**asked, **params}),
        )  # fmt: skip
        outcome = catalogue.resolve(name)(context)
        assert isinstance(outcome, Outcome)
        self.made |= {port: path for port, path in outcome.outputs.items() if port != "model"}
        return outcome.facts

    @property
    def target(self) -> str:
        return str(read_document(self.made["declaration"])["target"])

    @property
    def trained(self) -> dict[str, Path]:
        return {name: self.folder / "train_candidate" / name / "model.skops" for name in BESIDE}

    def admit(self) -> dict[str, Any]:
        self.perform("declare_features")
        return self.perform("admit_model")

    def refusal(self) -> OperationError:
        with pytest.raises(OperationError) as caught:
            self.admit()
        return caught.value


BESIDE = ("dummy", "linear")


def told(count: int, seed: int, start: str) -> pd.DataFrame:
    """The journeys with a note, which says in words of its own what became of most of them."""
    frame = rows(count, seed=seed, start=start)
    said = np.random.default_rng(seed).permutation(frame["outcome"]).tolist()
    odd = frame.index % 5 == 0
    words = [
        NOTES[s if away else o] for s, o, away in zip(said, frame["outcome"], odd, strict=True)
    ]
    frame["note"] = [f"{text}, note {place}" for place, text in enumerate(words)]
    return frame


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    def here(module: str, request: dict[str, Json], *, seconds: float) -> dict[str, Json]:
        return probe.probe(request)

    monkeypatch.setattr(compute, "run_clean", here)
    return Desk(tmp_path)


def trained() -> tuple[pd.DataFrame, pd.Series]:
    frame = rows()
    return frame[list(NUMBERS)].fillna(150), frame["outcome"]


def softmax(columns: int = 3, last: str = "Softmax") -> bytes:
    """A network of one layer, as torch exports it."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["X", "weight"], ["sums"]),
         helper.make_node(last, ["sums"], ["shares"])],
        "outcome",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("shares", TensorProto.FLOAT, [None, columns])],
        [numpy_helper.from_array(WEIGHTS[:, :columns], "weight")],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(onnx.ModelProto.SerializeToString(made))


def by_hand(frame: pd.DataFrame) -> np.ndarray:
    """The shares of the network, computed without it."""
    raw = frame[list(NUMBERS)].fillna(150).to_numpy() @ WEIGHTS.astype("float64")
    shares = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def served(desk: Desk, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """What the packed model answers to these rows."""
    loaded = load_package(desk.made["package"])
    names = loaded.signature.names
    asked = json.loads(frame[list(names)].to_json(orient="records"))
    found = loaded.predict(asked)
    return [
        {"label": label, **more}
        for label, more in zip(found.labels, loaded.more(found), strict=True)
    ]


def test_a_graph_of_three_classes_is_judged_and_served(desk: Desk) -> None:
    """From skl2onnx, whose node names the classes; every judge of a run takes it."""
    model = make_pipeline(LogisticRegression(max_iter=500)).fit(*trained())
    graph = to_onnx(model, initial_types=[("X", FloatTensorType([None, 2]))])
    desk.bring(graph.SerializeToString())
    facts = desk.admit()
    assert (facts["tests_failed"], facts["positive"], facts["output"]) == (
        0, None, "output_probability",
    )  # fmt: skip
    for family in BESIDE:
        desk.perform("train_candidate", family=family, folds=2)
    beside = desk.perform("compare_candidates", metric="log_loss")
    assert beside["baseline_gain"]["low"] > 0
    judged = desk.perform("evaluate_model", target_metric="roc_auc", target_value=0.6)
    held = read_table(desk.made["holdout"])
    expected = model.predict_proba(held[list(NUMBERS)].fillna(150))
    assert [row["class"] for row in judged["per_class"]] == list(CLASSES)
    for name in ("evaluate_slices", "explain_model", "explain_rows", "stress_model",
                 "measure_coverage", "screen_fairness"):  # fmt: skip
        assert desk.perform(name)
    assert desk.perform("package_model", golden=50, tolerance=1e-5)["task"] == "multiclass"
    for answer, shares in zip(served(desk, held.head(20)), expected, strict=False):
        assert list(answer["probabilities"].values()) == pytest.approx(shares, abs=1e-5)
        assert answer["label"] == CLASSES[int(shares.argmax())]


def test_the_order_of_classes_is_the_models_own(desk: Desk) -> None:
    """The graph answers late, on time, diverted; the definition sorts them."""
    order = ["late", "on time", "diverted"]
    desk.bring(softmax(), classes=order)
    few = told(20, 3, "2024-05-01")
    plain = json.loads(few[list(NUMBERS)].to_json(orient="records"))
    scores = by_hand(few)
    golden = {"rows": plain, "scores": scores.tolist()}
    desk.made["golden"] = write_document(desk.folder / "golden.json", golden)
    assert desk.admit()["tests_failed"] == 0
    desk.perform("evaluate_model")
    desk.perform("package_model", golden=50, tolerance=1e-5)
    answers = served(desk, few)
    for answer, shares in zip(answers, scores, strict=True):
        told_by_name = dict(zip(order, shares, strict=True))
        assert answer["probabilities"] == pytest.approx(told_by_name, abs=1e-6)


def test_golden_rows_of_several_classes_in_another_order_are_named(desk: Desk) -> None:
    desk.bring(softmax())
    few = told(20, 3, "2024-05-01")
    plain = json.loads(few[list(NUMBERS)].to_json(orient="records"))
    golden = {"rows": plain, "scores": by_hand(few)[:, ::-1].tolist()}
    desk.made["golden"] = write_document(desk.folder / "golden.json", golden)
    facts = desk.admit()
    assert [test["test"] for test in facts["tests"] if not test["passed"]] == ["golden rows"]
    write_document(desk.folder / "golden.json", {"rows": plain, "scores": [0.5] * 20})
    with pytest.raises(OperationError, match="a score is no list of 3 numbers"):
        compute.run(
            Context(
                catalogue.spec("admit_model"), desk.folder, inputs=desk.made,
                params=clean_params(catalogue.spec("admit_model"), {}), seed=1,
            )
        )  # fmt: skip


def test_a_forest_of_three_classes_is_served(desk: Desk) -> None:
    model = RandomForestClassifier(8, max_depth=4, random_state=0).fit(*trained())
    desk.bring(skops.io.dumps(model))
    assert desk.admit()["tests_failed"] == 0
    desk.perform("evaluate_model")
    desk.perform("package_model", golden=50, tolerance=1e-5)
    held = read_table(desk.made["holdout"]).head(30)
    expected = model.predict_proba(held[list(NUMBERS)].fillna(150))
    found = [list(answer["probabilities"].values()) for answer in served(desk, held)]
    assert np.allclose(found, expected, atol=1e-12)
    # the rollback drill holds answers against golden rows as narrowly as the package does
    loaded = load_package(desk.made["package"])
    stored = loaded.score_frame(held[list(NUMBERS)]) + 1e-6
    asked = json.loads(held[list(NUMBERS)].to_json(orient="records"))
    golden = Golden(asked, stored.tolist())
    assert rows_right(loaded, golden, range(30)) == 30
    assert rows_right(loaded, replace(golden, scores=(stored + 1e-3).tolist()), range(30)) == 0


@pytest.mark.parametrize(
    ("model", "stated", "text"),
    [
        (softmax(2), {}, "gives 2 columns, where 3 are due"),
        (softmax(), {"classes": ["late", "on time"]}, "has the classes diverted, late, on time"),
        (softmax(), {"classes": ["late", "on time", "lost"]}, "declared are late, lost, on time"),
        (softmax(3, "Sigmoid"), {}, "which are no probabilities of 3 classes"),
        (softmax(3, "Identity"), {}, "which are no probabilities of 3 classes"),
    ],
)
def test_what_is_not_of_these_classes_is_refused(
    model: bytes, stated: dict[str, Any], text: str, desk: Desk
) -> None:
    desk.bring(model, **stated)
    assert text in desk.refusal().message


def test_a_positive_class_of_several_is_refused(desk: Desk) -> None:
    desk.bring(softmax())
    with pytest.raises(OperationError) as caught:
        desk.perform("declare_features", positive="late")
    assert caught.value.code == "positive_of_several"


# --- free texts -----------------------------------------------------------------------------

NOTE = [
    {"name": "wind", "type": "number", "missing": 20},
    {"name": "note", "type": "text", "free": True},
]


PLAIN = [{**column, "free": False, "missing": None, "categories": []} for column in NOTE]


def reader(last: Any, target: str) -> Any:
    frame = told(600, 1, "2024-01-01")
    read = make_column_transformer((TfidfVectorizer(), "note"), remainder="passthrough")
    return make_pipeline(read, last).fit(frame[["wind", "note"]], frame[target])


def test_a_model_that_reads_free_texts_is_judged_and_served(desk: Desk) -> None:
    model = reader(LogisticRegression(max_iter=500), "outcome")
    desk.bring(skops.io.dumps(model), columns=NOTE)
    held = told(400, 2, "2024-03-01")
    facts = desk.perform("declare_features")
    assert [row["role"] for row in facts["columns"]] == ["number", "text"]
    assert desk.perform("admit_model")["tests_failed"] == 0  # a missing text is an empty one
    for family in BESIDE:
        desk.perform("train_candidate", family=family, folds=2)
    beside = desk.perform("compare_candidates", metric="log_loss")
    linear = next(row for row in beside["candidates"] if row["family"] == "linear")
    assert linear["mean"] < 0.9  # it reads the note as well: without it, it is above 1
    desk.perform("evaluate_model")
    assert desk.perform("stress_model")
    desk.perform("package_model", golden=50, tolerance=1e-5)
    expected = model.predict_proba(held[["wind", "note"]].head(20))
    found = [list(answer["probabilities"].values()) for answer in served(desk, held.head(20))]
    assert np.allclose(found, expected, atol=1e-12)


def test_a_text_that_is_none_is_refused_as_any_value(desk: Desk) -> None:
    """Declared as a text, but not as a free one: what is missing stays so, and breaks the model."""
    model = reader(LogisticRegression(max_iter=500), "outcome")
    front = BroughtClasses(model, PLAIN, CLASSES, range(len(CLASSES)))
    frame = pd.DataFrame({"wind": [20.0], "note": [None]})
    with pytest.raises(ValueError, match="'NoneType' object has no attribute 'lower'"):
        front.predict_proba(frame)
    whole = frame.assign(note="all is well")
    assert [CLASSES[place] for place in front.predict(whole)] == model.predict(whole).tolist()


def test_a_number_of_free_texts_has_a_linear_model_beside_it(desk: Desk) -> None:
    desk.bring(
        skops.io.dumps(reader(Ridge(), "wind")), task="regression", target="seats", classes=[],
        columns=NOTE,
    )  # fmt: skip
    desk.perform("declare_features", task="regression")
    assert desk.perform("admit_model")["tests_failed"] == 0
    assert desk.perform("train_candidate", family="linear", folds=2)["scores"]["mae"]


def test_what_names_rows_is_no_text_unless_it_is_said(desk: Desk) -> None:
    desk.bring(b"", columns=[{"name": "note", "type": "text"}])
    with pytest.raises(OperationError, match="no declared column can be used"):
        desk.perform("declare_features")
    (desk.folder / "declare_features").rename(desk.folder / "before")
    desk.bring(b"", columns=[{"name": "wind", "type": "text", "free": True}])
    with pytest.raises(OperationError, match="wind: is declared text, and holds float"):
        desk.perform("declare_features")
