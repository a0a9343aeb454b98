"""What a model file is, by its content; a name is never believed."""

import gzip
import io
import json
import lzma
import pickle  # noqa: TID251  to see it refused
import zipfile
import zlib
from pathlib import Path

import joblib
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression

from pipelines.operations.brought.example import logistic_graph
from pipelines.operations.brought.kinds import kind_of

MODEL = LogisticRegression().fit([[0.0], [1.0]], [0, 1])


def zipped(**entries: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return sink.getvalue()


def altered(entry: str, *, flags: int = 0, method: int = 0, cut: bool = False) -> bytes:
    """A skops-like archive of which one entry is encrypted, packed strangely, or damaged."""
    made = bytearray(zipped(schema_dot_json=b"{}", weights_dot_npy=b"\x93NUMPY" + b"x" * 100))
    name = entry.encode()
    local, central = made.index(name) - 30, made.rindex(name) - 46
    for at, field, value in ((6, 8, flags), (8, 10, method)):
        made[local + at] |= value
        made[central + field] |= value
    if cut:
        made[local : local + 4] = b"none"
    return bytes(made)


def dumped(**settings: object) -> bytes:
    sink = io.BytesIO()
    joblib.dump(MODEL, sink, **settings)
    return sink.getvalue()


REFUSED = [
    *((f"pickle {n}", pickle.dumps(MODEL, protocol=n), "pickle") for n in range(6)),
    ("joblib", dumped(), "pickle"),
    ("joblib zlib", dumped(compress=("zlib", 3)), "joblib"),
    ("joblib gzip", dumped(compress=("gzip", 3)), "joblib"),
    ("joblib bz2", dumped(compress=("bz2", 3)), "joblib"),
    ("joblib xz", dumped(compress=("xz", 3)), "joblib"),
    ("joblib lzma", dumped(compress=("lzma", 3)), "joblib"),
    ("torch", zipped(late__data_dot_pkl=pickle.dumps(MODEL), late__version=b"3"), "zip"),
    # a pickle that hides behind a schema, as if it were skops, and under a harmless name
    ("hidden", zipped(schema_dot_json=b"{}", weights_dot_npy=pickle.dumps(MODEL)), "zip"),
    ("encrypted", altered("weights.npy", flags=1), "zip"),
    ("packed in an unknown way", altered("weights.npy", method=97), "zip"),
    ("no deflate after all", altered("weights.npy", method=8), "zip"),
    ("damaged", altered("weights.npy", cut=True), "zip"),
    ("keras", zipped(config_dot_json=b"{}", model_dot_weights_dot_h5=b"\x89HDF"), "zip"),
    ("xlsx", zipped(xl__workbook_dot_xml=b"<x/>"), "zip"),
    ("cut zip", zipped(schema_dot_json=b"{}")[:20], "zip"),
    ("hdf5", b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "other"),
    ("lightgbm", b"tree\nversion=v4\nnum_class=1\n", "other"),
    ("xgboost", json.dumps({"learner": {}}).encode(), "text"),
    ("numpy", b"\x93NUMPY\x01\x00", "other"),
    ("gzip", gzip.compress(b"not a pickle at all"), "compressed"),
    ("text", b"a,b\n1,2\n", "unknown"),
    ("empty", b"", "empty"),
]


@pytest.mark.parametrize(("content", "kind"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_is_neither_onnx_nor_skops_is_refused_with_the_reason(
    content: bytes, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"  # whatever it calls itself
    path.write_bytes(content)
    found = kind_of(path)
    assert found.name == kind
    assert found.refusal
    if kind in ("pickle", "joblib"):
        assert "runs whatever code it names" in found.refusal


def test_what_is_onnx_or_skops_is_taken(tmp_path: Path) -> None:
    graph, kept = tmp_path / "a.bin", tmp_path / "b.pkl"
    graph.write_bytes(logistic_graph().SerializeToString())
    kept.write_bytes(skops.io.dumps(LinearRegression().fit([[0.0], [1.0]], [0, 1])))
    assert (kind_of(graph).name, kind_of(graph).refusal) == ("onnx", "")
    assert (kind_of(kept).name, kind_of(kept).refusal) == ("skops", "")


@pytest.mark.parametrize("pack", [zlib.compress, lzma.compress, gzip.compress])
def test_a_compressed_pickle_is_known_however_small(pack: object, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(pack(pickle.dumps([1], protocol=4)))  # type: ignore[operator]
    assert kind_of(path).name == "joblib"
