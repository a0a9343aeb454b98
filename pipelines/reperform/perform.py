"""Computing a run again: each step in a supervised child, from its recorded inputs alone.

Each step reads what it read then, not what was computed now: a difference shows in the step that
made it, and in none after. Nothing is written: no row, no event, no content.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import catalogue
from pipelines.artefacts.actions import storage
from pipelines.artefacts.storage import StorageError
from pipelines.operations.compare_artefacts.numbers import MEASURED, Tolerance, compare
from pipelines.operations.compare_artefacts.spec import RELATIVE, SE_SHARE
from pipelines.operations.contract import EXTENSIONS
from pipelines.reperform.records import Recorded, recorded
from pipelines.reperform.report import (
    DIFFERENT,
    EQUAL,
    FAILED,
    NOT_REPEATED,
    WITHIN,
    Compared,
    Repeated,
    Report,
)
from pipelines.runs import apart
from pipelines.runs.lanes import Lane, Result, Work
from pipelines.runs.models import Run

FACTS = "facts"
Tell = Callable[[Repeated], None]


@dataclass(frozen=True)
class Bench:
    """Where it is done: a lane with its child, a folder, and how far values may be off."""

    lane: Lane
    folder: Path
    tolerance: Tolerance


def reperform(
    run: Run,
    folder: Path,
    *,
    tell: Tell = lambda _: None,
    only: str = "",
    tolerance: Tolerance | None = None,
) -> Report:
    """Compute the run's present rounds again and compare; `only` names one "stage.step"."""
    wanted = tolerance or Tolerance(RELATIVE, SE_SHARE)
    report = Report(
        run=run.pk,
        label=run.label,
        use_case=run.use_case.key,
        blueprint_digest=run.version.digest,
        tolerance={"relative": wanted.relative, "se_share": wanted.se_share},
    )
    bench = Bench(Lane(0, folder), folder, wanted)
    try:
        for one in recorded(run):
            if only in ("", one.place):
                done = _repeat(bench, one)
                report.steps.append(done)
                tell(done)
    finally:
        bench.lane.kill()
    return report


def _repeat(bench: Bench, one: Recorded) -> Repeated:
    began = time.perf_counter()
    artefacts = _all(one, NOT_REPEATED, one.not_repeatable)
    if not one.not_repeatable:
        place = bench.folder / "step"
        shutil.rmtree(place, ignore_errors=True)
        (place / "in").mkdir(parents=True)
        (place / "out").mkdir()
        artefacts = _computed(bench, one, place)
    seconds = round(time.perf_counter() - began, 3)
    return Repeated(one.place, one.operation, one.version, one.seed, seconds, artefacts)


def _all(one: Recorded, verdict: str, reason: str) -> tuple[Compared, ...]:
    return tuple(
        Compared(one.place, name, verdict, output["digest"], reason=reason)
        for name, output in one.outputs.items()
    )


def _computed(bench: Bench, one: Recorded, place: Path) -> tuple[Compared, ...]:
    try:
        work = _work(one, place)
    except StorageError as error:
        return _all(one, NOT_REPEATED, f"what it read is not to be had: {error}")
    result = apart.perform(bench.lane, work, lambda _: None, beat_every=1.0)
    if result.kind != "done":
        return _all(one, FAILED, _said(result))
    made = {name: Path(path) for name, path in result.message["outputs"].items()}
    found = [_compare(bench, one, (name, made.get(name)), place) for name in one.outputs]
    facts = _facts(bench, one, _renamed(result.message["facts"], found))
    extra = sorted(made.keys() - one.outputs.keys())
    found += [Compared(one.place, name, DIFFERENT, reason="was not made before") for name in extra]
    return (*found, facts)


def _renamed(facts: dict[str, Any], found: list[Compared]) -> dict[str, Any]:
    """Facts that name an artefact's digest: of one that may differ in bytes, the kept one's."""
    kept = {one.again: one.kept for one in found if one.verdict == WITHIN}
    return {
        name: kept.get(value, value) if isinstance(value, str) else value
        for name, value in facts.items()
    }


def _said(result: Result) -> str:
    error = result.message.get("error") or {}
    return str(error.get("message") or result.message.get("reason") or result.kind)


def _work(one: Recorded, place: Path) -> Work:
    spec = catalogue.spec(one.operation)
    inputs: dict[str, str] = {}
    many: dict[str, dict[str, str]] = {}
    for port, parts in one.ports.items():
        paths = {
            part["name"]: _fetched(part, place / "in", f"{port}-{number}")
            for number, part in enumerate(parts)
        }
        if spec.input(port).many:
            many[port] = paths
        elif paths:  # an optional one may have been left out
            inputs[port] = next(iter(paths.values()))
    return Work(
        operation=spec.name,
        params=one.params,
        inputs=inputs,
        many=many,
        seed=one.seed,
        folder=place / "out",
        max_runtime=spec.max_runtime,
        max_memory=spec.max_memory,
        brought=catalogue.found(one.operation),
    )


def _fetched(part: Mapping[str, str], folder: Path, name: str) -> str:
    """Link to verified content under a name whose extension tells the format."""
    path = folder / f"{name}{EXTENSIONS.get(part['media'], '.' + part['media'])}"
    path.symlink_to(storage().local(part["digest"], folder).absolute())
    return str(path)


def _compare(bench: Bench, one: Recorded, made: tuple[str, Path | None], place: Path) -> Compared:
    name, path = made
    output = one.outputs[name]
    kept = str(output["digest"])
    if path is None:
        return Compared(one.place, name, DIFFERENT, kept, reason="was not made again")
    again = _digest(path)
    if again == kept:
        return Compared(one.place, name, EQUAL, kept, again)
    return _by_content(bench, (one.place, name, kept, again), (output, path), place)


def _by_content(
    bench: Bench,
    known: tuple[str, str, str, str],
    pair: tuple[Mapping[str, Any], Path],
    place: Path,
) -> Compared:
    """Let the child look where the two differ; what storage lost cannot be looked at."""
    output, path = pair
    media = str(output.get("media") or "any")
    try:
        kept = _fetched({"digest": known[2], "media": media}, place / "in", f"kept-{known[1]}")
    except StorageError as error:
        return Compared(*known[:2], DIFFERENT, *known[2:], reason=f"its content is gone: {error}")
    folder = place / f"compare-{known[1]}"
    folder.mkdir()
    spec = catalogue.spec("compare_artefacts")
    params = {
        "media": media if media in EXTENSIONS else "any",
        "relative": bench.tolerance.relative,
        "se_share": bench.tolerance.se_share,
    }
    inputs = {"kept": kept, "again": str(path)}
    work = Work(spec.name, params, inputs, {}, 0, folder, spec.max_runtime, spec.max_memory)
    result = bench.lane.perform(work, lambda _: None, beat_every=1.0)
    if result.kind != "done":
        return Compared(*known[:2], DIFFERENT, *known[2:], reason=_said(result))
    facts = result.message["facts"]
    where = (*facts["first"], *facts["surroundings"])
    return Compared(*known[:2], facts["verdict"], *known[2:], facts["largest_share"], where)


def _facts(bench: Bench, one: Recorded, again: dict[str, Any]) -> Compared:
    """Compare what the step said about its work, but for what a machine is measured by."""
    kept = {name: value for name, value in one.facts.items() if not name.endswith(MEASURED)}
    new = {name: value for name, value in again.items() if not name.endswith(MEASURED)}
    found = compare(kept, new, bench.tolerance)
    return Compared(
        one.place,
        FACTS,
        found.verdict,
        largest_share=found.largest,
        where=(*found.beyond, *found.surroundings),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
