"""A package of segments, read and proved against what its manifest states."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.packages.archive import MANIFEST, MAX_ENTRY, PackageError

FORMAT = "baton/segments-package/1"
MODEL, ASSIGNMENTS, ENVIRONMENT = "model.skops", "assignments.parquet", "environment.json"
REQUIRED = (MODEL, ASSIGNMENTS, ENVIRONMENT)


def read_segments_package(path: Path) -> tuple[dict[str, Json], dict[str, bytes]]:
    """Manifest and entries, each as its digest says. Raises PackageError."""
    try:
        with zipfile.ZipFile(path) as archive:
            large = [one.filename for one in archive.infolist() if one.file_size > MAX_ENTRY]
            if large:
                raise PackageError("entry_size", f"{large[0]} unpacks to more than {MAX_ENTRY}")
            entries = {one.filename: archive.read(one) for one in archive.infolist()}
    except (zipfile.BadZipFile, EOFError) as problem:
        raise PackageError("no_zip", f"the package cannot be read as a zip: {problem}") from problem
    manifest = json.loads(entries.pop(MANIFEST, b"null"))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise PackageError("format", f"{MANIFEST} is missing or not of format {FORMAT}")
    absent = [name for name in REQUIRED if name not in entries]
    if absent:
        raise PackageError("incomplete", f"the package lacks {', '.join(absent)}")
    digests = manifest.get("digests")
    stated = digests if isinstance(digests, dict) else {}
    for name in sorted(entries.keys() | stated.keys()):
        found = hashlib.sha256(entries[name]).hexdigest() if name in entries else None
        if found != stated.get(name):
            raise PackageError("digest", f"{name} is not what the manifest states")
    return manifest, entries
