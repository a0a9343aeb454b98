"""A version as an MLflow model: loaded elsewhere, without Baton, it predicts equally.

The folder is read twice: as the format says, by a bare interpreter that has nothing of the project
but what the export holds; and by MLflow itself where it is installed (the tests' own requirements
have mlflow-skinny).
"""

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client

from personas.errors import Conflict
from pipelines.exports import mlflow_folder
from pipelines.exports.mlmodel import TYPES
from pipelines.exports.sources import closure
from pipelines.operations.packages.loaded import load_package, plain_rows
from pipelines.operations.tables import read_table
from pipelines.registry.models import ModelVersion
from tests import release
from tests.api import world
from tests.cast import Cast

pytestmark = pytest.mark.django_db
# Both interpreters read the rows as a table and print scores and labels. What they run in knows
# nothing of the project: isolated, in another folder.
BARE = """
import sys, json, yaml
from pathlib import Path
folder = Path(sys.argv[1])
flavour = yaml.safe_load((folder / "MLmodel").read_text())["flavors"]["python_function"]
sys.path.insert(0, str(folder / flavour["code"]))
import importlib, pandas as pd
loader = importlib.import_module(flavour["loader_module"])
model = loader._load_pyfunc(str(folder / flavour["data"]))
rows = pd.read_parquet(sys.argv[2])
"""
MLFLOW = """
import sys, json, pandas as pd
import mlflow.pyfunc
model = mlflow.pyfunc.load_model(sys.argv[1])
assert model.metadata.get_input_schema() is not None
rows = pd.read_parquet(sys.argv[2])
for name in rows.select_dtypes("datetimetz"):  # MLflow knows times without a zone only
    rows[name] = rows[name].dt.tz_convert("UTC").dt.tz_localize(None)
"""
ANSWER = """
import pipelines
assert Path(pipelines.__path__[0]).is_relative_to(Path(sys.argv[1]).resolve()), pipelines.__path__
found = model.predict(rows)
print(json.dumps({"score": found["score"].tolist(), "label": found["label"].tolist(),
    "ours": sorted(n for n in sys.modules if n.split(".")[0] in ("portal", "personas", "django"))}))
"""
has_mlflow = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None,
    reason="mlflow is not installed: `make install-dev` brings mlflow-skinny; the format is read"
    " by a bare interpreter alone",
)


@pytest.fixture
def version(db: None) -> ModelVersion:
    """A real package, registered and approved: numbers, texts, a flag and times go in."""
    return release.release().version


@pytest.fixture
def folder(version: ModelVersion, tmp_path: Path) -> Path:
    """The export, unpacked."""
    place = tmp_path / "model"
    with zipfile.ZipFile(BytesIO(exported(version))) as made:
        made.extractall(place)
    return place


def exported(version: ModelVersion) -> bytes:
    sink = BytesIO()
    mlflow_folder.write(version, sink)
    return sink.getvalue()


def ask(code: str, folder: Path, rows: Path) -> dict[str, Any]:
    """Run in another folder, without our path; returns what it answered."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "from pathlib import Path\n" + code + ANSWER,
         str(folder), str(rows)],
        cwd=folder.parent,
        env={**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def expected(made: release.Packaged) -> dict[str, Any]:
    """What the prediction endpoint's own path answers to the rows of the holdout."""
    loaded = load_package(made.package)
    frame = read_table(made.holdout)[list(loaded.signature.names)]
    found = loaded.predict(plain_rows(frame, loaded.signature))
    return {"score": found.scores, "label": found.labels}


@pytest.mark.parametrize(
    "code", [BARE, pytest.param(MLFLOW, marks=has_mlflow)], ids=["bare", "mlflow"]
)
def test_it_loads_and_predicts_equally(code: str, folder: Path, tmp_path: Path) -> None:
    made = release.packaged()
    loaded = load_package(made.package)
    rows = tmp_path / "rows.parquet"
    read_table(made.holdout)[list(loaded.signature.names)].to_parquet(rows)
    answered = ask(code, folder, rows)
    assert answered.pop("ours") == []
    assert answered == expected(made)
    assert len(set(answered["score"])) > 10


def test_mlmodel_says_what_goes_in_and_what_comes_out(version: ModelVersion, folder: Path) -> None:
    found = yaml.safe_load((folder / "MLmodel").read_text())
    flavour = found["flavors"]["python_function"]
    assert (folder / flavour["code"] / f"{flavour['loader_module']}.py").is_file()
    assert (folder / flavour["data"] / "package.zip").is_file()
    inputs = json.loads(found["signature"]["inputs"])
    signature = load_package(folder / "data" / "package.zip").signature
    assert [one["name"] for one in inputs] == list(signature.names)
    assert {one["type"] for one in inputs} <= set(TYPES.values())
    assert [one["name"] for one in json.loads(found["signature"]["outputs"])] == ["score", "label"]
    assert found["metadata"]["baton_package_sha256"] == version.package_id
    assert found["metadata"]["baton_approval"] == version.approval_id


def test_the_pins_are_those_of_the_package(folder: Path) -> None:
    with zipfile.ZipFile(folder / "data" / "package.zip") as package:
        packed = json.loads(package.read("environment.json"))
    lines = (folder / "requirements.txt").read_text().split()
    assert lines == [f"{name}=={pin}" for name, pin in sorted(packed["packages"].items())]
    conda = yaml.safe_load((folder / "conda.yaml").read_text())
    assert conda["dependencies"][-1] == {"pip": lines}
    env = yaml.safe_load((folder / "python_env.yaml").read_text())
    assert env["python"] == packed["python"]


def test_equal_versions_give_equal_bytes(version: ModelVersion) -> None:
    assert exported(version) == exported(version)


def test_it_holds_the_few_modules_that_score_and_nothing_else(folder: Path) -> None:
    held = {str(path.relative_to(folder / "code")) for path in (folder / "code").rglob("*.py")}
    assert "pipelines/operations/packages/loaded.py" in held
    assert not {one.split("/")[0] for one in held} - {"pipelines", "baton_pyfunc.py"}
    assert not any("runs" in one or "registry" in one for one in held)
    assert len(held) < 40


def test_a_closure_follows_imports_and_reads_files_only() -> None:
    found = closure(["pipelines.operations.packages.loaded"])
    assert {"pipelines", "pipelines.operations", "pipelines.operations.contract"} <= set(found)
    assert all(path.is_file() for path in found.values())
    assert closure(["no.such.module"]) == {}


def test_what_was_never_approved_stays(db: None) -> None:
    version = release.release(approve=False).version
    with pytest.raises(Conflict, match="never approved"):
        exported(version)


def test_the_api_gives_it_to_who_may_see_it(
    client: Client, cast: Cast, version: ModelVersion
) -> None:
    address = f"/api/v1/models/{version.model.name}/versions/1/mlflow"
    client.force_login(cast.iris)
    assert client.get(address).status_code == 404
    client.force_login(release.person("Ada"))
    answer = client.get(address)
    assert answer.status_code == 200
    assert f'filename="{version.model.name}-v1-mlflow.zip"' in answer["Content-Disposition"]
    assert b"".join(answer.streaming_content) == exported(version)  # type: ignore[attr-defined]
    assert client.get(address.replace("versions/1", "versions/9")).status_code == 404


def test_the_api_refuses_what_was_never_approved(client: Client, db: None) -> None:
    version = release.release(approve=False).version
    client.force_login(release.person("Ada"))
    answer = client.get(f"/api/v1/models/{version.model.name}/versions/1/mlflow")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_approved")


def test_a_package_that_is_none_is_refused(cast: Cast, client: Client) -> None:
    name = world.make(cast)["models"]["name"]
    client.force_login(cast.amara)
    answer = client.get(f"/api/v1/models/{name}/versions/1/mlflow")
    assert (answer.status_code, answer.json()["code"]) == (409, "package_not_read")
