"""Full disks, disks that only read, and content that is not what it was. F22."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.db.models import F

from personas.models import BatonNow
from pipelines.artefacts.actions import storage
from pipelines.artefacts.models import Artefact
from pipelines.artefacts.storage import FolderStorage, StorageError
from pipelines.runs.models import Run, Step
from tests.cast import Cast
from tests.domain import engine as f
from tests.faults.processes import Processes, until
from tests.faults.test_workers import attempt, one_step, state, states

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
Disk = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mounts a disk of a size, in memory; skips where this user may not mount."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(size: str) -> Path:
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
        made = subprocess.run(words, capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"needs the right to mount: {made.stderr.strip()}")
        return place

    yield mount
    subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def fill(folder: Path) -> Path:
    """Take all the room there is; returns what to remove."""
    path = folder / "fill"
    with path.open("wb", buffering=0) as stream:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while stream.write(b"x" * size):
                    pass
            except OSError:
                continue
    return path


def hurry(run: Run) -> None:
    """Let the next try be due now."""
    Step.objects.filter(run=run, state="RETRY_WAIT").update(retry_at=BatonNow())


def stored(place: Path, run: Run) -> bool:
    """Whether every output of the run is in the store, and is what its name says."""
    store = FolderStorage(place)
    digests = [o["digest"] for a in run.attempts.all() for o in a.outputs.values()]
    return bool(digests) and all(store.local(d, place) for d in digests)


def rows_of(run: Run) -> set[str]:
    return {o["digest"] for a in run.attempts.all() for o in a.outputs.values()}


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_f22_a_store_that_takes_nothing_costs_a_try_and_no_row(
    cast: Cast, processes: Processes, disk: Disk, trouble: str
) -> None:
    place = disk("256k")
    (place / "store").mkdir()
    left = fill(place) if trouble == "full" else None
    if left is None:
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    known = set(Artefact.objects.values_list("digest", flat=True))
    run = one_step(cast)
    processes.engine()
    processes.work(ARTEFACT_URL=f"file://{place / 'store'}")
    failed = until(lambda: attempt(run, "FAILED"), what="it says so")
    assert (failed.error["code"], failed.error["retryable"]) == ("storage", True)
    assert f.step_of(run, "work").state == "RETRY_WAIT"
    assert set(Artefact.objects.values_list("digest", flat=True)) == known
    if left is None:
        subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)
    else:
        left.unlink()
    hurry(run)
    until(lambda: state(run) == "SUCCEEDED", what="there is room again")
    assert states(run) == ["FAILED", "SUCCEEDED"]
    assert stored(place / "store", run)
    assert [p for p in (place / "store").rglob(".*") if p.is_file()] == []


def test_f22_a_child_without_room_is_no_defect_of_the_operation(
    cast: Cast, processes: Processes, disk: Disk
) -> None:
    place = disk("2m")
    worker = processes.work(BATON_VAR=str(place), BATON_WORKER_THREADS="1")
    warm = one_step(cast)
    until(lambda: state(warm) == "SUCCEEDED", what="the worker works")
    left = fill(place)
    run = one_step(cast)
    failed = until(lambda: attempt(run, "FAILED"), what="it says so")
    assert (failed.error["code"], failed.error["retryable"]) == ("storage", True)
    left.unlink()
    processes.engine()
    hurry(run)
    until(lambda: state(run) == "SUCCEEDED", what="there is room again")
    assert worker.poll() is None


def test_f22_a_half_written_file_never_has_a_digests_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.write_text("content")
    store = FolderStorage(tmp_path / "store")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        store.put(source)
    assert [p for p in (tmp_path / "store").rglob("*") if p.is_file()] == []


# --- content that is not what it was -------------------------------------------------------------

MAKE = f.stage("make", "BA", steps=[f.step("work", params={"message": {"ref": "run.text"}})])
USE = f.stage("use", "BA", needs=["make"], steps=[
    f.step("read", inputs={"given": ["make.work.result"]}, params={"rows": {"ref": "run.rows"}}),
])  # fmt: skip
ASKED = {"parameters": [
    {"key": "text", "kind": "str", "title": "Text", "default": ""},
    {"key": "rows", "kind": "int", "title": "Rows", "default": 0},
]}  # fmt: skip


def damage(digest: str, how: str) -> Path:
    """Alter the stored content, or take it away; returns where it is."""
    store = storage()
    assert isinstance(store, FolderStorage)
    path = store.path(digest)
    path.chmod(0o644)
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"?")
    return path


@pytest.mark.parametrize("how", ["altered", "gone"])
def test_bad_content_behind_a_cache_hit_is_found_and_computed_again(
    cast: Cast, processes: Processes, how: str
) -> None:
    text = uuid4().hex
    processes.work()
    first = f.run(cast, MAKE, USE, plan_has=ASKED, parameters={"text": text})
    until(lambda: state(first) == "SUCCEEDED", what="all is computed once")
    digest = f.attempt_of(first, "work").outputs["result"]["digest"]
    path = damage(digest, how)
    second = f.run(
        cast, MAKE, USE, plan_has=ASKED, on=first.use_case, parameters={"text": text, "rows": 7}
    )
    until(lambda: state(second) == "SUCCEEDED", what="it found out and went on")
    assert f.attempt_of(second, "work").cached_from == f.attempt_of(first, "work")
    assert f.attempt_of(second, "read").cached_from is None
    assert storage().local(digest, path.parent) == path
    told = [e.data for e in f.events_of(second) if e.type == "artefact.recomputed"]
    assert [data["digest"] for data in told] == [digest]
    assert ("now hashes to" if how == "altered" else "No content") in told[0]["found"]
    assert states(second) == ["SUCCEEDED", "SUCCEEDED"]


def test_content_that_people_brought_cannot_be_computed_again(
    cast: Cast, processes: Processes
) -> None:
    digest = f.output(uuid4().hex)["digest"]
    part = {"name": "a", "digest": digest, "media": "json"}
    read = f.stage("read", "BA", steps=[f.step("work", inputs={"given": ["run.table"]})])
    run = f.run(
        cast, read, inputs={"table": [part]},
        plan_has={"inputs": [{"key": "table", "title": "Table", "media": ["json"]}]},
    )  # fmt: skip
    damage(digest, "altered")
    processes.work()
    failed = until(lambda: attempt(run, "FAILED"), what="it says so")
    assert failed.error["code"] == "storage"
    assert digest[:12] in failed.error["message"]
    assert not Step.objects.filter(run=run, result=F("result")).exists()
