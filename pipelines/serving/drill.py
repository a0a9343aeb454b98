"""The rollback drill: who answers golden rows after going live, and after going back.

Imports scikit-learn: for the worker only. What serves is the serve process's own path: the board
that follows the deployments table, its choice of who answers a row, and the package's scoring.
"""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from personas.errors import Busy, DomainError
from pipelines.artefacts.actions import storage
from pipelines.operations.clusters.package import ASSIGNMENTS, read_segments_package
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.packages.archive import GOLDEN, PackageError, read_archive
from pipelines.operations.packages.archive import load as entry
from pipelines.operations.packages.decisions import number
from pipelines.operations.packages.loaded import TOLERANCE, Loaded, load_package
from pipelines.registry.drills import rehearse, version_of
from pipelines.registry.models import ModelVersion
from pipelines.registry.queries import live_version
from pipelines.runs.models import Run, Stage
from pipelines.serving.predict import Board, Line
from pipelines.serving.predict import Served as AnsweredBy

MOST_ROWS = 50  # golden rows asked after each switch


@dataclass(frozen=True)
class Proof:
    """Who answered, how many rows were asked, and how many came out as they were packaged."""

    by: int | None
    asked: int
    right: int
    proof_seconds: float


@dataclass(frozen=True)
class Golden:
    """Rows of a package with the scores it has to give: one, or one for each of several classes."""

    rows: list[dict[str, Json]] = field(default_factory=list)
    scores: list[list[float]] = field(default_factory=list)


def rollback_drill(*, run: Run, stage: Stage, folder: Path, params: Mapping[str, Any]) -> Path:
    """Drill with the run's version and write down what was measured. Raises OperationError."""
    started = time.perf_counter()
    try:
        version = version_of(run)
        prover = _prover(version, folder)
        loaded = time.perf_counter() - started
        drill, forward, back = rehearse(run, prover.prove, served=prover.served)
    except Busy:
        raise  # tried again
    except (DomainError, PackageError) as problem:
        raise OperationError(
            problem.code, f"the rollback drill failed: {problem.message}",
            field="record", value=str(run), rule="goes live and back",
        ) from problem  # fmt: skip
    seconds = time.perf_counter() - started
    record = {
        "at": drill.at,
        "model": version.model.name,
        "path": "deployments" if prover.served else "delivered files",
        "to": drill.version,
        "before": drill.before,
        "from": drill.back_to,
        "forward": asdict(forward),
        "back": asdict(back),
        "untouched": drill.untouched,
        "load_seconds": loaded,
        "drill_seconds": seconds,
    }
    path = folder / "drill.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def _prover(version: ModelVersion, folder: Path) -> "Served | Delivered":
    """By what a drill is proved: the package tells whether it answers rows or is read as files."""
    path = storage().local(version.package_id, folder)
    try:
        read_segments_package(path)
    except PackageError:
        return Served.of(version, folder)
    return Delivered(folder)


@dataclass(frozen=True)
class Served:
    """Proves by asking golden rows of whoever answers."""

    model: int
    name: str
    packages: Mapping[str, Loaded]
    golden: Mapping[str, Golden]
    own: str
    served: bool = True

    @classmethod
    def of(cls, version: ModelVersion, folder: Path) -> "Served":
        """With the package of the version, and of what answers now, in memory: locks stay short."""
        live = live_version(version.model)
        digests = {version.package_id, *([live.package_id] if live else ())}
        packages, golden = {}, {}
        for digest in sorted(digests):
            data = storage().local(digest, folder).read_bytes()
            packages[digest] = load_package(data, digest=digest)
            golden[digest] = _golden(data)
        return cls(version.model_id, version.model.name, packages, golden, version.package_id)

    def prove(self, expected: ModelVersion | None) -> Proof:
        """Ask; where the fallback should answer, the version's own rows must find nobody."""
        started = time.perf_counter()
        board = Board(only=self.model)
        board.have(self.packages)
        board.refresh()
        line = board.lines.get(self.name)
        live = line.live if line else None
        golden = self._golden_of(expected.package_id if expected else self.own)
        right = 0
        for by, places in _answering(line, len(golden.rows)):
            if expected is None or by is None:
                right += len(places) if by is None and expected is None else 0
            elif by.version_id == expected.pk:
                right += rows_right(by.loaded, golden, places)
        return Proof(
            live.version if live else None, len(golden.rows), right, time.perf_counter() - started
        )

    def _golden_of(self, digest: str) -> Golden:
        if digest in self.golden:
            return self.golden[digest]
        # What was live before what is live now: rare, so it is fetched under the lock.
        with tempfile.TemporaryDirectory(prefix="baton-drill-") as folder:
            return _golden(storage().local(digest, Path(folder)).read_bytes())


def _answering(line: Line | None, rows: int) -> list[tuple[AnsweredBy | None, list[int]]]:
    """Who answers which of so many golden rows, as callers of these keys would be."""
    picked = [line.pick(f"golden-{place}") if line else None for place in range(rows)]
    by = {one.deployment if one else 0: one for one in picked}
    keys = [one.deployment if one else 0 for one in picked]
    return [
        (one, [place for place, found in enumerate(keys) if found == key])
        for key, one in by.items()
    ]


def rows_right(loaded: Loaded, golden: Golden, places: Sequence[int]) -> int:
    """How many rows, asked in one batch as callers may, come out as they were packaged."""
    given = loaded.predict([golden.rows[place] for place in places])
    found = given.probabilities or [[score] for score in given.scores]
    allowed = number(loaded.manifest, "tolerance", TOLERANCE)
    return sum(
        _close(scores, golden.scores[place], allowed)
        for scores, place in zip(found, places, strict=True)
    )


def _golden(package: bytes) -> Golden:
    _, entries = read_archive(package)
    found = entry(entries, GOLDEN)
    rows, scores = found.get("rows"), found.get("scores")
    return Golden(
        [row for row in rows if isinstance(row, dict)][:MOST_ROWS]
        if isinstance(rows, list)
        else [],
        [_numbers(one) for one in scores][:MOST_ROWS] if isinstance(scores, list) else [],
    )


def _numbers(stored: Json) -> list[float]:
    return [float(str(one)) for one in (stored if isinstance(stored, list) else [stored])]


def _close(found: list[float], stored: list[float], allowed: float) -> bool:
    """Whether a row came out as it was packaged."""
    return len(found) == len(stored) and all(
        abs(one - other) <= allowed * max(1.0, abs(other))
        for one, other in zip(found, stored, strict=True)
    )


@dataclass(frozen=True)
class Delivered:
    """Proves by reading what is delivered as files: every assignment of the package."""

    folder: Path
    served: bool = False

    def prove(self, expected: ModelVersion | None) -> Proof:
        """Fetch and verify; without an earlier version there is nothing to read, as promised."""
        started = time.perf_counter()
        if expected is None:
            return Proof(None, 1, 1, time.perf_counter() - started)
        path = storage().local(expected.package_id, self.folder)
        _, entries = read_segments_package(path)
        table = self.folder / "delivered.parquet"
        table.write_bytes(entries[ASSIGNMENTS])
        segments = pq.read_table(table, columns=["segment"]).column("segment")
        right = len(segments) - segments.null_count
        return Proof(expected.number, len(segments), right, time.perf_counter() - started)
