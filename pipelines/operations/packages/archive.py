"""Reading and writing the package zip: the same content always gives the same bytes."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from pipelines.operations.contract import Json

FORMAT = 1
MANIFEST = "manifest.json"
MODEL = "model.skops"
SIGNATURE = "signature.json"
SAMPLES = "samples.json"
GOLDEN = "golden.json"
ENVIRONMENT = "environment.json"
REQUIRED = (MODEL, SIGNATURE, SAMPLES, GOLDEN, ENVIRONMENT)
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
MAX_ENTRY = 512 * 1024 * 1024  # bytes one entry may have unpacked: stops a zip bomb


class PackageError(Exception):
    """A package that must not be served: says which rule it breaks."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def dump(value: Json) -> bytes:
    """Canonical JSON: sorted keys, no spaces, floats by their shortest exact form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def write_archive(path: Path, entries: Mapping[str, bytes], manifest: Mapping[str, Json]) -> None:
    """Write the package: entries in name order, fixed times, digests in the manifest."""
    digests: dict[str, Json] = {
        name: hashlib.sha256(data).hexdigest() for name, data in sorted(entries.items())
    }
    full = {**manifest, "format": FORMAT, "digests": digests}
    with zipfile.ZipFile(path, "w") as archive:
        _add(archive, MANIFEST, dump(full))
        for name in sorted(entries):
            _add(archive, name, entries[name])


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # the same bytes on every system
    archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=6)


def read_archive(data: bytes) -> tuple[dict[str, Json], dict[str, bytes]]:
    """Manifest and entries, every entry checked against its digest. Raises PackageError."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = {info.filename: _read(archive, info) for info in archive.infolist()}
    except (zipfile.BadZipFile, EOFError) as problem:
        raise PackageError("no_zip", f"the package cannot be read as a zip: {problem}") from problem
    manifest = json.loads(entries.pop(MANIFEST, b"null"))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise PackageError("format", f"{MANIFEST} is missing or not of format {FORMAT}")
    _check_digests(manifest, entries)
    return manifest, entries


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > MAX_ENTRY:
        raise PackageError(
            "entry_size", f"{info.filename} unpacks to {info.file_size} bytes, limit {MAX_ENTRY}"
        )
    return archive.read(info)


def _check_digests(manifest: Mapping[str, Json], entries: Mapping[str, bytes]) -> None:
    digests = manifest.get("digests")
    stated = digests if isinstance(digests, dict) else {}
    absent = [name for name in REQUIRED if name not in entries]
    if absent:
        raise PackageError("incomplete", f"the package lacks {', '.join(absent)}")
    for name in sorted(entries.keys() | stated.keys()):
        found = hashlib.sha256(entries[name]).hexdigest() if name in entries else None
        if found != stated.get(name):
            raise PackageError("digest", f"{name} is not what the manifest states")


def load(entries: Mapping[str, bytes], name: str) -> dict[str, Json]:
    """A JSON object out of the package. Raises PackageError."""
    value = json.loads(entries[name])
    if not isinstance(value, dict):
        raise PackageError("shape", f"{name} holds no object")
    return value
