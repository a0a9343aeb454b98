"""Model files: skops with an allow-list of types, equal bytes for equal models.

skops names parts by memory address and stamps the clock into the zip; both are replaced
here, so that the digest of a model file says whether two models are the same.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import cast

import skops.io
from sklearn.base import BaseEstimator, is_regressor
from sklearn.pipeline import Pipeline

from pipelines.operations.contract import Json, OperationError

SCHEMA = "schema.json"
ABOUT = "about.json"  # our own entry; skops reads only what its schema names
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
MAX_ENTRY = 512 * 1024 * 1024  # bytes one entry may have unpacked: stops a zip bomb

OWN = "pipelines.operations.learning.transformers"
TEXTS = "pipelines.operations.learning.texts"
SEGMENTER = "pipelines.operations.clusters.segmenter.Segmenter"
DETECTOR = "pipelines.operations.anomalies.detector.Detector"
BROUGHT = "pipelines.operations.brought.estimators"
# Types beyond those that skops trusts itself. Nothing here runs code on load; whoever adds
# one has read its __setstate__ and __reduce__.
TRUSTED: tuple[str, ...] = (
    f"{OWN}.Codes",
    f"{OWN}.DateParts",
    f"{OWN}.Flags",
    f"{OWN}.Numbers",
    f"{TEXTS}.KeywordRule",
    "pipelines.operations.learning.keyword_votes.KeywordVotes",
    f"{TEXTS}.Plain",
    f"{TEXTS}.TermWeights",
    f"{TEXTS}.Texts",
    f"{TEXTS}.Topics",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    SEGMENTER,
    DETECTOR,
    "pipelines.operations.learning.offsets.FromColumn",
    f"{BROUGHT}.BroughtClassifier",
    f"{BROUGHT}.BroughtClasses",
    f"{BROUGHT}.BroughtRegressor",
    f"{BROUGHT}.Graph",
    # of models that are brought; `admit_model` looks at every tree before it is walked
    "sklearn.tree._tree.Tree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_regression",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    # boosting re-codes its categorical columns with a FunctionTransformer of check_array
    "functools.partial",
    "numpy.dtype",
    "sklearn.utils.validation.check_array",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedGroupKFold",
    "sklearn.model_selection._split.StratifiedKFold",
)


def dump(model: BaseEstimator, path: Path, about: dict[str, Json]) -> Path:
    """Write a fitted model with what must be known about it; equal bytes for equal input."""
    with zipfile.ZipFile(BytesIO(skops.io.dumps(model))) as given:
        schema = json.loads(given.read(SCHEMA))
        names = _canonical(schema)
        entries = {new: given.read(old) for old, new in names.items()}
    entries[SCHEMA] = json.dumps(schema, separators=(",", ":")).encode()
    entries[ABOUT] = json.dumps(about, sort_keys=True, allow_nan=False).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr, info.create_system = 0o644 << 16, 3
            archive.writestr(info, entries[name], zipfile.ZIP_DEFLATED, compresslevel=6)
    return path


def load(path: Path, *, field: str = "model") -> Pipeline:
    """A model whose types are all trusted; raises OperationError naming those that are not."""
    strange = _readable(lambda: skops.io.get_untrusted_types(file=path), path, field)
    refused = sorted(set(cast(list[str], strange)) - set(TRUSTED))
    if refused:
        raise OperationError(
            "untrusted_types",
            f"{field} holds types that are not trusted: {', '.join(refused)}",
            field=field,
            value=list[Json](refused),
            rule="only scikit-learn, numpy and Baton's own types",
        )
    model = _readable(lambda: skops.io.load(path, trusted=list(TRUSTED)), path, field)
    if not hasattr(model, "predict_proba") and not is_regressor(model):
        raise OperationError(
            "no_model",
            f"{field} is a {type(model).__name__}, which gives neither probabilities nor numbers",
            field=field,
            value=type(model).__name__,
            rule="has predict_proba, or is a regressor",
        )
    return cast(Pipeline, model)


def about(path: Path) -> dict[str, Json]:
    """What the model file says about itself; empty for a model that was brought in."""
    with zipfile.ZipFile(path) as archive:
        if ABOUT not in archive.namelist():
            return {}
        data = json.loads(archive.read(ABOUT))
    return data if isinstance(data, dict) else {}


def _readable(read: Callable[[], object], path: Path, field: str) -> object:
    try:
        with zipfile.ZipFile(path) as archive:
            big = [i.filename for i in archive.infolist() if i.file_size > MAX_ENTRY]
        if big:
            raise ValueError(f"{big[0]} unpacks to more than {MAX_ENTRY} bytes")
        return read()
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, ImportError) as error:
        raise OperationError(
            "unreadable_model",
            f"{field} is not a readable skops file: {error}",
            field=field,
            rule="is a skops file",
        ) from error


def _canonical(schema: dict[str, object]) -> dict[str, str]:
    """Number ids and files in the order of their appearance; old file name -> new one."""
    ids: dict[int, int] = {}
    files: dict[str, str] = {}
    count = 0
    pending: list[object] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(reversed(node))
        elif isinstance(node, dict):
            count += 1
            if "__id__" in node:
                # constants may or may not be one object (interning): never shared here
                shared = node.get("__loader__") not in ("JsonNode", "TypeNode")
                node["__id__"] = ids.setdefault(node["__id__"], count) if shared else count
            name = node.get("file")
            if isinstance(name, str) and node.get("__loader__"):
                suffix = Path(name).suffix
                node["file"] = files.setdefault(name, f"{len(files):06d}{suffix}")
            pending.extend(reversed(list(node.values())))
    return files
