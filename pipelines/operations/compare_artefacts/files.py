"""Comparing files by content: documents, tables, and archives entry by entry."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.compare_artefacts.numbers import (
    Difference,
    Tolerance,
    compare,
    surroundings,
)
from pipelines.operations.contract import Json

MAX_ENTRY = 512 * 1024 * 1024  # bytes unpacked, as in a serving package
ARCHIVES = ("skops", "zip")


def compare_files(kept: Path, again: Path, *, media: str, tolerance: Tolerance) -> Difference:
    """Compare by content. Raises ValueError, OSError where one cannot be read as what it is."""
    if media == "json":
        return compare(_json(kept.read_bytes()), _json(again.read_bytes()), tolerance)
    if media in ("parquet", "csv"):
        return _tables(_table(kept, media), _table(again, media), tolerance)
    if media in ARCHIVES:
        return _archives(kept.read_bytes(), again.read_bytes(), tolerance)
    return _bytes(kept.read_bytes(), again.read_bytes(), "")


def _json(data: bytes) -> Json:
    found: Json = json.loads(data)
    return found


def _bytes(kept: bytes, again: bytes, path: str) -> Difference:
    found = Difference(compared=1)
    if kept != again:
        found.say(path, f"{len(kept)} bytes became {len(again)} others")
    return found


def _table(path: Path, media: str) -> pd.DataFrame:
    return pd.read_parquet(path) if media == "parquet" else pd.read_csv(path)


def _tables(kept: pd.DataFrame, again: pd.DataFrame, tolerance: Tolerance) -> Difference:
    found = Difference()
    if list(kept.columns) != list(again.columns):
        found.say("columns", f"{list(kept.columns)[:8]} became {list(again.columns)[:8]}")
    if len(kept) != len(again):
        found.say("rows", f"{len(kept)} became {len(again)}")
    if found.many:
        return found
    for name in kept.columns:
        _columns(kept[name], again[name], str(name), (found, tolerance))
    return found


def _columns(
    kept: "pd.Series[Any]", again: "pd.Series[Any]", name: str,
    with_: tuple[Difference, Tolerance],
) -> None:  # fmt: skip
    found, _ = with_
    if kept.dtype != again.dtype:
        found.say(name, f"{kept.dtype} became {again.dtype}")
    elif pd.api.types.is_float_dtype(kept.dtype):
        _arrays(kept.to_numpy(np.float64), again.to_numpy(np.float64), name, with_)
    else:
        found.compared += len(kept)
        gone = ~((kept == again) | (kept.isna() & again.isna())).to_numpy(bool)
        if gone.any():
            at = int(np.flatnonzero(gone)[0])
            text = f"{int(gone.sum())} values changed, the first in row {at}"
            found.say(name, text)


def _arrays(
    kept: npt.NDArray[np.float64], again: npt.NDArray[np.float64], name: str,
    with_: tuple[Difference, Tolerance],
) -> None:  # fmt: skip
    found, tolerance = with_
    found.compared += kept.size
    if kept.shape != again.shape:
        found.say(name, f"shape {kept.shape} became {again.shape}")
        return
    flat, other = kept.ravel(), again.ravel()
    same = (flat == other) | (np.isnan(flat) & np.isnan(other))
    left = np.flatnonzero(~same)
    if not left.size:
        return
    with np.errstate(invalid="ignore"):
        shares = np.abs(flat[left] - other[left]) / np.maximum(
            np.abs(flat[left]), np.abs(other[left])
        )
    shares = np.where(np.isfinite(shares), shares, 1.0)
    found.largest = max(found.largest, float(shares.max()))
    beyond = left[shares > tolerance.relative]
    if beyond.size:
        at = int(beyond[0])
        found.say(name, f"{beyond.size} values are off, the first {flat[at]} became {other[at]}")
    else:
        found.differing += int(left.size)


def _archives(kept: bytes, again: bytes, tolerance: Tolerance) -> Difference:
    found = Difference()
    one, other = _entries(kept), _entries(again)
    if one.keys() != other.keys():
        odd = sorted(one.keys() ^ other.keys())
        found.say("entries", f"only one of them has {', '.join(odd[:5])}")
    for name in sorted(one.keys() & other.keys()):
        _merge(found, _entry(name, one[name], other[name], tolerance), name)
    return found


def _entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            if info.file_size > MAX_ENTRY:
                raise ValueError(f"{info.filename} unpacks to {info.file_size} bytes")
        return {info.filename: archive.read(info) for info in archive.infolist()}


def _entry(name: str, kept: bytes, again: bytes, tolerance: Tolerance) -> Difference:
    if kept == again:
        return Difference(compared=1)
    # The list of digests in a package says only that an entry differs, which is looked at itself.
    if name == "manifest.json":
        found = compare(_without_digests(kept), _without_digests(again), tolerance)
        found.differing += 1
        return found
    if name == "environment.json":
        found = Difference(compared=1)
        found.surround(surroundings(_json(kept), _json(again), "", tolerance))
        return found
    if name.endswith(".json"):
        return compare(_json(kept), _json(again), tolerance)
    if name.endswith(".npy"):
        return _stored_arrays(kept, again, tolerance)
    if name.endswith(ARCHIVES):
        return _archives(kept, again, tolerance)
    return _bytes(kept, again, "")


def _without_digests(data: bytes) -> Json:
    found = _json(data)
    return {k: v for k, v in found.items() if k != "digests"} if isinstance(found, dict) else found


def _stored_arrays(kept: bytes, again: bytes, tolerance: Tolerance) -> Difference:
    one, other = (np.load(io.BytesIO(data), allow_pickle=False) for data in (kept, again))
    found = Difference()
    if one.dtype != other.dtype:
        found.say("", f"{one.dtype} became {other.dtype}")
    elif np.issubdtype(one.dtype, np.floating):
        _arrays(one.astype(float), other.astype(float), "", (found, tolerance))
    elif one.shape != other.shape or (one != other).any():
        found.say("", "values changed")
    return found


def _merge(into: Difference, one: Difference, name: str) -> None:
    into.compared += one.compared
    into.differing += one.differing
    into.largest = max(into.largest, one.largest)
    into.many += one.many
    into.surroundings += one.surroundings
    into.beyond += [f"{name}: {text}" for text in one.beyond][: 10 - len(into.beyond)]
