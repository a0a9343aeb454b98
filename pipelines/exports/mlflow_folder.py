"""A model version as an MLflow model, zipped: `mlflow.pyfunc.load_model` loads the folder.

It holds the serving package itself and the few modules that load it, so it answers as the
prediction endpoint does, by the same code, and needs neither Baton nor its database.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from personas.errors import Conflict
from pipelines.artefacts.actions import storage
from pipelines.exports import mlmodel
from pipelines.exports.sources import ROOT, closure
from pipelines.operations.packages import archive
from pipelines.registry.models import ModelVersion

PACKAGE: Final = "package.zip"
HERE: Final = Path(__file__).resolve().parent
# The loader's own imports, and the types that a model file may name.
ROOTS: Final = (
    "pipelines.operations.packages.loaded",
    "pipelines.operations.learning.transformers",
    "pipelines.operations.brought.estimators",
)


def write(version: ModelVersion, sink: IO[bytes]) -> None:
    """Write the zip; equal versions give equal bytes.

    Raises Conflict for a version that was never approved, or whose package is none; StorageError.
    """
    if version.approval_id is None:
        raise Conflict(
            "not_approved",
            f"{version} was never approved: only what a gate has approved leaves the house.",
            state=version.state,
        )
    with storage().open(version.package_id) as package:
        head = _head(package)
        package.seek(0)
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made:
            for name, text in _texts(version, head).items():
                made.writestr(_entry(name), text)
            # The package is compressed already.
            entry = _entry(f"{mlmodel.DATA}/{PACKAGE}", zipfile.ZIP_STORED)
            with made.open(entry, "w") as place:
                while block := package.read(1 << 20):
                    place.write(block)


def name_of(version: ModelVersion) -> str:
    """Return the file name of the download."""
    return f"{version.model.name}-v{version.number}-mlflow.zip"


def _entry(name: str, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, archive.EPOCH)
    entry.external_attr, entry.create_system, entry.compress_type = 0o644 << 16, 3, method
    return entry


def _head(package: IO[bytes]) -> dict[str, dict[str, Any]]:
    """The small parts of a package: manifest, signature, environment. Raises Conflict."""
    try:
        with zipfile.ZipFile(package) as opened:
            return {
                name: json.loads(opened.read(name))
                for name in (archive.MANIFEST, archive.SIGNATURE, archive.ENVIRONMENT)
            }
    except (zipfile.BadZipFile, KeyError, ValueError) as problem:
        raise Conflict(
            "package_not_read", f"The version's package cannot be read: {problem}"
        ) from problem


def _texts(version: ModelVersion, head: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Every file but the package, by its path in the folder."""
    environment = head[archive.ENVIRONMENT]
    name = f"{version.model.name}-v{version.number}"
    texts = {
        "MLmodel": mlmodel.mlmodel(
            name=name,
            digest=version.package_id,
            signature=head[archive.SIGNATURE],
            classes=head[archive.MANIFEST].get("classes"),
            environment=environment,
            created=f"{version.registered_at:%Y-%m-%d %H:%M:%S.%f}",
            metadata=_metadata(version, head[archive.MANIFEST]),
        ),
        "requirements.txt": "\n".join(mlmodel.requirements(environment)) + "\n",
        "python_env.yaml": mlmodel.python_env(environment),
        "conda.yaml": mlmodel.conda(name, environment),
        "LICENSE": (ROOT / "LICENSE").read_text("utf-8"),
        f"{mlmodel.CODE}/{mlmodel.LOADER}.py": (HERE / "baton_pyfunc.py").read_text("utf-8"),
    }
    for path in closure(ROOTS).values():
        texts[f"{mlmodel.CODE}/{path.relative_to(ROOT)}"] = path.read_text("utf-8")
    return texts


def _metadata(version: ModelVersion, manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "baton_model": version.model.name,
        "baton_version": version.number,
        "baton_state": version.state,
        "baton_run": version.run_id,
        "baton_approval": version.approval_id,
        "baton_package_sha256": version.package_id,
        "baton_threshold": manifest.get("threshold"),
        "baton_licence": manifest.get("licence"),
    }
