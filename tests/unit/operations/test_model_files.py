"""Model files: equal bytes for equal models, nothing loads that is not on the list."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.preprocessing import StandardScaler

from pipelines.operations.contract import OperationError
from pipelines.operations.learning import store
from pipelines.operations.learning.example import features, rows, write_model
from pipelines.operations.learning.families import FAMILIES

ROOT = Path(__file__).resolve().parents[3]
TRAIN = (
    "import sys, pathlib; from pipelines.operations.learning.example import write_model\n"
    "write_model(pathlib.Path(sys.argv[1]))"
)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_survives_its_file_bit_for_bit(family, tmp_path) -> None:
    trained = write_model(tmp_path, family=family)
    model = store.load(trained.model)
    frame = rows()[features(rows()).names]
    again = store.dump(model, tmp_path / "again.skops", store.about(trained.model))
    assert digest(again) == digest(trained.model)
    loaded = store.load(again)
    assert np.array_equal(model.predict_proba(frame), loaded.predict_proba(frame))


def test_another_process_writes_the_same_bytes(tmp_path) -> None:
    (tmp_path / "other").mkdir()
    here = write_model(tmp_path).model
    environment = {**os.environ, "PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path / "other")],
        cwd=ROOT,
        env=environment,
        check=True,
    )
    assert digest(tmp_path / "other" / here.name) == digest(here)


def test_another_seed_gives_another_model(tmp_path) -> None:
    (tmp_path / "other").mkdir()
    first, second = write_model(tmp_path), write_model(tmp_path / "other", seed=2)
    assert digest(first.model) != digest(second.model)


def test_the_file_says_what_it_is(tmp_path) -> None:
    about = store.about(write_model(tmp_path).model)
    assert about["family"] == "boosting"
    assert about["target"] == "late"
    assert about["classes"] == [0, 1]
    assert about["features"]["digest"] == features(rows()).digest()


def test_types_that_are_not_on_the_list_are_refused(tmp_path) -> None:
    path = tmp_path / "strange.skops"
    model = GaussianProcessClassifier().fit([[0.0], [1.0]], [0, 1])
    model.extra = subprocess.Popen  # names a type that runs programs
    skops.io.dump(model, path)
    with pytest.raises(OperationError) as caught:
        store.load(path)
    assert caught.value.code == "untrusted_types"
    assert "subprocess.Popen" in caught.value.value


def test_what_answers_nothing_is_refused(tmp_path) -> None:
    path = tmp_path / "scaler.skops"
    skops.io.dump(StandardScaler().fit([[0.0], [1.0]]), path)
    with pytest.raises(OperationError, match="StandardScaler") as caught:
        store.load(path)
    assert caught.value.code == "no_model"


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_what_is_no_model_file_is_refused(content, tmp_path) -> None:
    path = tmp_path / "model.skops"
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("other.txt", "nothing")
    else:
        path.write_bytes(content)
    with pytest.raises(OperationError) as caught:
        store.load(path, field="candidate")
    assert (caught.value.code, caught.value.field) == ("unreadable_model", "candidate")
