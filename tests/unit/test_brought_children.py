"""Odd operations from a package, in the real child with the real limits: each fails by itself."""

import errno
import importlib.util
import json
import os
import platform
import py_compile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pipelines import confinement
from pipelines.operations.contract import NotYet, OperationError
from pipelines.runs import admission, answers, apart
from pipelines.runs.lanes import Lane, Result, Stop
from tests import brought as b
from tests.long import only_long

pytestmark = pytest.mark.timeout(60)

BODIES = {
    "well_behaved": """
print("hello")
context.log("a line")
context.progress(0.5, "half")
return made(context, text=context.text("text"), home=os.environ.get("HOME", ""))
""",
    "forks_for_ever": """
while True:
    os.fork()
""",
    "forks_away": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        Path(context.folder, "pid").write_text(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not Path(context.folder, "pid").exists():
    time.sleep(0.01)
time.sleep(0.05)
return made(context, pid=int(Path(context.folder, "pid").read_text()))
""",
    "forks_and_both_answer": """
if os.fork() == 0:
    return made(context, whose="the fork's")
time.sleep(0.3)
return made(context, whose="its own")
""",
    "fills_memory": """
held = []
while True:
    held.append(bytearray(64 << 20))
""",
    "asks_for_too_much": """
bytearray(8 << 30)
return made(context)
""",
    "writes_elsewhere": """
Path(context.text("text")).write_text("mine")
return made(context)
""",
    "reads_elsewhere": """
return made(context, found=Path(context.text("text")).read_text())
""",
    "never_ends": """
while True:
    pass
""",
    "exits": """
print("last words")
sys.stdout.flush()
os._exit(7)
""",
    "crashes": """
import ctypes
ctypes.string_at(0)
""",
    "calls_out": """
socket.create_connection(("127.0.0.1", 1))
""",
    "calls_a_server_of_ours": """
socket.socket(socket.AF_UNIX).connect(context.text("text"))
""",
    "kills_the_worker": """
os.kill(int(context.text("text")), 0)
return made(context)
""",
    "reaches_into_others": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
numbers = json.loads(context.text("text"))
found = {}
for name, words in numbers.items():
    ctypes.set_errno(0)
    given = [ctypes.c_long(word) for word in words]
    found[name] = ctypes.get_errno() if libc.syscall(*given) < 0 else 0
return made(context, **found)
""",
    "marks_files": """
import ctypes, fcntl
libc = ctypes.CDLL(None, use_errno=True)

def code(number, *words):
    ctypes.set_errno(0)
    return ctypes.get_errno() if libc.syscall(number, *words) < 0 else 0

found = {}
own = context.folder / "own"
own.write_text("mine")
for whose, path in (("theirs", __file__), ("own", str(own))):
    opened = os.open(path, os.O_RDONLY)
    kind = os.stat(path)
    ways = {
        "chmod": lambda: os.chmod(path, kind.st_mode),
        "fchmod": lambda: os.chmod(opened, kind.st_mode),
        "chown": lambda: os.chown(path, -1, -1),
        "lchown": lambda: os.lchown(path, -1, -1),
        "fchown": lambda: os.chown(opened, -1, -1),
        "utime": lambda: os.utime(path, ns=(kind.st_atime_ns, kind.st_mtime_ns)),
        "futime": lambda: os.utime(opened, ns=(kind.st_atime_ns, kind.st_mtime_ns)),
        "setxattr": lambda: os.setxattr(path, "user.x", b"1"),
        "removexattr": lambda: os.removexattr(path, "user.x"),
        "flags": lambda: fcntl.ioctl(opened, 0x40086602, bytes(8)),
    }
    for name, way in ways.items():
        try:
            way()
            found[whose + " " + name] = 0
        except OSError as error:
            found[whose + " " + name] = error.errno
    given = ctypes.c_char_p(path.encode())
    for name, number in json.loads(context.text("text")).items():
        found[whose + " " + name] = code(number, -100, given, 0o644, 0, 0, 0)
found["size_of_terminal"] = code(16, opened, 0x5413, 0) if os.uname().machine == "x86_64" else 0
return made(context, **found)
""",
    "writes_as_usual": """
import shutil, sqlite3, tarfile, tempfile, zipfile
import duckdb, numpy, pandas, pyarrow.parquet, skops.io
from sklearn.linear_model import LogisticRegression
here = context.folder / "there"
here.mkdir()
numpy.save(here / "a.npy", numpy.arange(9))
numpy.savez_compressed(here / "a.npz", a=numpy.arange(9))
held = numpy.memmap(here / "a.bin", dtype="int64", mode="w+", shape=(9,))
held[:] = 1
held.flush()
frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
frame.to_csv(here / "a.csv.gz")
frame.to_parquet(here / "a.parquet")
pyarrow.parquet.write_to_dataset(pyarrow.parquet.read_table(here / "a.parquet"), here / "parts")
skops.io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), here / "a.skops")
base = sqlite3.connect(here / "a.sqlite")
base.execute("create table a as select 1 as b")
base.commit()
base.close()
duckdb.connect(str(here / "a.duckdb")).execute("create table a as select 1 as b").close()
with zipfile.ZipFile(here / "a.zip", "w") as archive:
    archive.write(here / "a.npy", "a.npy")
with zipfile.ZipFile(here / "a.zip") as archive:
    archive.extractall(here / "unzipped")
with tarfile.open(here / "a.tar", "w") as archive:
    archive.add(here / "a.npy", "a.npy")
with tarfile.open(here / "a.tar") as archive:
    archive.extractall(here / "untarred", filter="data")
with tempfile.TemporaryDirectory() as folder:
    Path(folder, "a").write_text("1")
shutil.copyfile(here / "a.npy", here / "b.npy")
(here / "c").touch()
(here / "c").rename(here / "d")
names = sorted(path.name for path in here.rglob("*") if path.is_file())
shutil.rmtree(here)
return made(context, names=len(names))
""",
    "makes_something_else": """
path = context.folder / "other.json"
path.write_text("{}")
return Outcome({"other": path}, {"fine": True})
""",
    "makes_nothing": """
return Outcome({}, {"fine": True})
""",
    "points_elsewhere": """
context.output("result").symlink_to(context.text("text"))
return Outcome({"result": context.output("result")}, {"fine": True})
""",
    "returns_nothing": "pass",
    "says_nan": """
return made(context, scores=[1.0, {"inner": float("nan")}])
""",
    "says_no_json": """
return made(context, when=Path("x"))
""",
    "says_too_much": """
return made(context, much=["x" * 1000] * 6000)
""",
    "says_it_deeply": """
deep = []
for _ in range(500):
    deep = [deep]
return made(context, deep=deep)
""",
    "prints_megabytes": """
for _ in range(64):
    print("x" * (1 << 20))
return made(context)
""",
    "writes_a_large_file": """
with open(context.output("result"), "wb") as sink:
    for _ in range(64):
        sink.write(b"x" * (1 << 20))
return made(context)
""",
    "speaks_for_itself": """
for opened in range(3, 40):
    try:
        os.write(opened, b"this is no message\\n")
    except OSError:
        pass
time.sleep(20)
""",
    "answers_past_its_rules": """
for opened in range(3, 40):
    for line in json.loads(context.text("text")):
        try:
            os.write(opened, line.encode() + b"\\n")
        except OSError:
            pass
time.sleep(20)
""",
    "changes_its_input": """
path = Path(context.text("text"))
path.chmod(0o644)
path.write_text("changed")
return made(context)
""",
    "says_no_text": """
return made(context, **{"a": ["x\\0"]})
""",
    "complains_in_no_text": """
context.log("a\\0b")
raise ValueError("c\\0d\\ud800")
""",
    "waits_undeclared": "return NotYet(5, 'later')",
    "raises": "raise ValueError('not today')",
    "keeps": """
(context.kept / "notes").write_text("kept")
return made(context)
""",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return b.install(tmp_path_factory.mktemp("site"), BODIES)


@pytest.fixture(autouse=True)
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with b.on_path(site, monkeypatch):
        yield


def attempt(name: str, folder: Path, **params: str) -> Result:
    """What becomes of an attempt, after it was let in."""
    asked = b.work(name, folder, **params)
    return admission.judge(asked, b.perform(asked))


def failure(name: str, folder: Path, **params: str) -> dict[str, object]:
    result = attempt(name, folder, **params)
    assert result.kind in ("error", "timed_out"), result
    error = result.message["error"]
    assert error["message"].startswith(f"{name} (odd-operations 1.0): ")
    assert error["operation"] == name
    assert error["limits"]["max_processes"] == 3
    assert result.message["usage"]["enforced"] == confinement.available()
    return error


needs_landlock = pytest.mark.skipif(
    not confinement.available()["writes"], reason="this kernel has no Landlock"
)


def test_a_good_one_is_done_and_says_what_held_it(tmp_path: Path) -> None:
    result = attempt("well_behaved", tmp_path, text="a")
    assert result.kind == "done", result
    assert result.message["facts"]["text"] == "a"
    assert result.message["facts"]["home"].startswith(str(tmp_path / "out"))
    assert json.loads(Path(result.message["outputs"]["result"]).read_text()) == {"text": "a"}
    assert result.log == "a line"
    assert result.message["usage"]["enforced"] == confinement.available()
    assert result.message["usage"]["peak_mib"] > 0


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("forks_for_ever", "max_processes", "3"),
        ("asks_for_too_much", "max_memory", "512 MiB"),
        ("fills_memory", "max_memory", "512 MiB"),
        ("exits", "process_ended", "status 7"),
        ("crashes", "process_ended", "SIGSEGV"),
        ("makes_something_else", "undeclared_output", "no output 'other'; declared: result"),
        ("makes_nothing", "missing_output", "no output result"),
        ("returns_nothing", "not_an_outcome", "NoneType"),
        ("says_nan", "facts_not_finite", "facts.scores[1].inner is nan"),
        ("says_no_json", "facts_not_json", "facts.when is a PosixPath"),
        ("says_no_text", "facts_not_json", "facts.a[0]"),
        ("complains_in_no_text", "defect", "ValueError: cd?"),
        ("says_too_much", "facts_too_large", "bytes"),
        ("says_it_deeply", "facts_too_deep", "30 levels"),
        ("writes_a_large_file", "max_file_size", "8 MiB"),
        ("speaks_for_itself", "bad_answer", "no JSON"),
        ("waits_undeclared", "not_an_outcome", "SPEC.waits is False"),
        ("raises", "defect", "ValueError: not today"),
    ],
)
def test_its_failure_is_its_own_and_named(name: str, code: str, says: str, tmp_path: Path) -> None:
    error = failure(name, tmp_path)
    assert error["code"] == code, error
    assert says in str(error["message"])
    assert not error.get("retryable")


def said(kind: str, **more: object) -> str:
    return json.dumps({"kind": kind, **more})


DONE = {"outputs": {}, "facts": {}}


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (said("log"), "bad_answer", "log whose text"),
        (said("progress", fraction="half", message=""), "bad_answer", "fraction"),
        (said("progress", fraction=0.5, message="", rows=-1), "bad_answer", "rows"),
        (said("gone"), "bad_answer", "gone whose exit"),
        (said("gone", exit=4000), "bad_answer", "gone whose exit"),
        (said("gone", exit=-40), "process_ended", "signal 40"),
        (said("error", error="no"), "bad_answer", "error whose error"),
        (said("error", error={"code": "a", "message": "b", "value": float("nan")}), "bad_answer",
         "finite"),
        (said("error", error={"code": "package_changed", "message": "b"}), "bad_answer", "b"),
        (said("done", usage=[1], **DONE), "bad_answer", "done whose usage"),
        (said("done", facts={"a": float("inf")}, outputs={}), "missing_output", "result"),
        (said("not_yet", seconds=5, reason="later"), "not_an_outcome", "SPEC.waits is False"),
        (said("not_yet", seconds=None, reason="later"), "bad_answer", "seconds"),
        ("[" * 100_000, "bad_answer", "no message"),
    ],
)  # fmt: skip
def test_what_it_says_past_its_rules_is_its_own_failure(
    line: str, code: str, says: str, tmp_path: Path
) -> None:
    claim = said("confined", enforced={"network": "walls of steel"})
    error = failure("answers_past_its_rules", tmp_path, text=json.dumps([claim, line]))
    assert error["code"] == code, error
    assert says in str(error["message"])


@pytest.mark.parametrize(
    ("kind", "message", "code"),
    [
        ("done", {"facts": {"a": [float("nan")]}}, "facts_not_finite"),
        ("done", {"facts": {"a": "x" * (5 << 20)}}, "facts_too_large"),
        ("done", {"facts": {"a": "\0"}}, "facts_not_json"),
        ("not_yet", {"seconds": 1, "reason": ""}, "not_an_outcome"),
    ],
)
def test_facts_are_looked_at_again_where_they_are_let_in(
    kind: str, message: dict[str, object], code: str, tmp_path: Path
) -> None:
    asked = b.work("well_behaved", tmp_path)
    (asked.folder / "result.json").write_text("{}")
    whole = {"outputs": {"result": str(asked.folder / "result.json")}, **message}
    assert admission.judge(asked, Result(kind, whole)).message["error"]["code"] == code


def test_a_wait_is_neither_none_nor_for_ever(tmp_path: Path) -> None:
    spec = b.work("well_behaved", tmp_path).brought.spec  # type: ignore[union-attr]
    for seconds in (0, -1, 1e300):
        with pytest.raises(OperationError, match="asked to wait"):
            answers.check_wait(replace(spec, waits=True), NotYet(seconds, "later"))  # type: ignore[type-var]
    answers.check_wait(replace(spec, waits=True), NotYet(5, "later"))  # type: ignore[type-var]


def test_one_that_never_ends_is_ended(tmp_path: Path) -> None:
    asked = b.work("never_ends", tmp_path)
    object.__setattr__(asked, "max_runtime", 0.6)
    result = b.perform(asked)
    assert result.kind == "timed_out"
    assert "ran longer than" in result.message["error"]["message"]


def test_last_words_are_kept(tmp_path: Path) -> None:
    assert "last words" in str(failure("exits", tmp_path)["trace"])


def test_what_it_started_ends_with_it_however_it_hides(tmp_path: Path) -> None:
    result = attempt("forks_away", tmp_path)
    assert result.kind == "done", result
    assert not psutil.pid_exists(result.message["facts"]["pid"])


def test_a_fork_that_goes_on_gives_no_answer(tmp_path: Path) -> None:
    result = attempt("forks_and_both_answer", tmp_path)
    assert result.message["facts"]["whose"] == "its own"


def test_what_it_prints_is_cut_off(tmp_path: Path) -> None:
    assert attempt("prints_megabytes", tmp_path).kind == "done"
    sizes = [path.stat().st_size for path in tmp_path.glob("*-brought.log")]
    assert sizes
    assert max(sizes) < 300_000


@needs_landlock
@pytest.mark.parametrize("name", ["writes_elsewhere", "changes_its_input"])
def test_it_writes_nowhere_else(name: str, tmp_path: Path) -> None:
    target = tmp_path / "theirs"
    target.write_text("as it was")
    target.chmod(0o444)
    error = failure(name, tmp_path, text=str(target))
    assert error["code"] == "not_permitted"
    assert target.read_text() == "as it was"


@needs_landlock
def test_it_reads_nothing_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret_key"
    secret.write_text("secret")
    error = failure("reads_elsewhere", tmp_path, text=str(secret))
    assert error["code"] == "not_permitted"
    environ = f"/proc/{os.getpid()}/environ"
    assert failure("reads_elsewhere", tmp_path, text=environ)["code"] == "not_permitted"


def test_an_output_that_points_elsewhere_is_not_taken(tmp_path: Path) -> None:
    secret = tmp_path / "secret_key"
    secret.write_text("secret")
    assert failure("points_elsewhere", tmp_path, text=str(secret))["code"] == "output_elsewhere"


@pytest.mark.skipif(not confinement.available()["network"], reason="no seccomp, no Landlock")
@pytest.mark.parametrize("name", ["calls_out", "calls_a_server_of_ours"])
def test_it_has_no_network_and_no_server(name: str, tmp_path: Path) -> None:
    assert failure(name, tmp_path, text=str(tmp_path / "socket"))["code"] == "not_permitted"


@pytest.mark.skipif(not confinement.available()["signals"], reason="Landlock without scopes")
def test_it_cannot_signal_the_worker(tmp_path: Path) -> None:
    assert failure("kills_the_worker", tmp_path, text=str(os.getpid()))["code"] == "not_permitted"


@pytest.mark.skipif(
    not confinement.seccomp.available() or platform.machine() != "x86_64",
    reason="the numbers below are those of x86-64",
)
def test_it_reaches_into_no_other_process_and_no_shared_object(tmp_path: Path) -> None:
    """Without the filter, each of these does it (prlimit 0 and its like, too) or says EINVAL."""
    other, refused = os.getpid(), errno.EACCES
    to_others = {
        "prlimit": [302, other, 7, 0, 0],
        "setpriority": [141, 0, other, 19],
        "sched_setaffinity": [203, other, 0, 0],
        "sched_setparam": [142, other, 0],
        "sched_setscheduler": [144, other, 0, 0],
        "sched_setattr": [314, other, 0, 0],
        "process_vm_readv": [310, other, 0, 0, 0, 0, 0],
        "process_vm_writev": [311, other, 0, 0, 0, 0, 0],
        "pidfd_getfd": [438, -1, 0, 0],
        "ioprio_set": [251, 1, other, 0],
        "shmget": [29, 0, 4096, 0o1600],
        "msgget": [68, 0, 0o1600],
        "semget": [64, 0, 1, 0o1600],
        "mq_open": [240, 0, 0, 0, 0],
        "fits_none": [302, other, 99, 0, 0],
    }
    to_itself = {"self_prlimit": [302, 0, 7, 0, 0], "self_affinity": [203, 0, 0, 0]}
    result = attempt("reaches_into_others", tmp_path, text=json.dumps(to_others | to_itself))
    assert result.kind == "done", result
    found = result.message["facts"]
    assert {name: found[name] for name in to_others} == dict.fromkeys(to_others, refused)
    assert all(found[name] != refused for name in to_itself)


@pytest.mark.skipif(not confinement.seccomp.available(), reason="no filter for these calls")
def test_it_changes_no_mode_owner_time_or_attribute(tmp_path: Path) -> None:
    """A filter sees no path: not of its own files, either."""
    calls = {"fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "file_setattr": 469}
    if platform.machine() == "x86_64":
        calls |= {
            "futimesat": 261,
            "utime_of_old": 132,
            "utimes": 235,
            "fchownat": 260,
            "fchmodat": 268,
        }
    result = attempt("marks_files", tmp_path, text=json.dumps(calls))
    assert result.kind == "done", result
    found = dict(result.message["facts"])
    assert found.pop("size_of_terminal") != errno.EPERM  # of ioctl only what marks is refused
    assert len(found) == 2 * (10 + len(calls))
    assert found == dict.fromkeys(found, errno.EPERM)


@only_long
def test_libraries_write_as_usual(tmp_path: Path) -> None:
    result = attempt("writes_as_usual", tmp_path)
    assert result.kind == "done", result
    assert result.message["facts"]["names"] >= 14


def test_it_keeps_what_another_attempt_goes_on_from(tmp_path: Path) -> None:
    asked = b.work("keeps", tmp_path)
    object.__setattr__(asked, "kept", tmp_path / "kept" / "here")
    assert b.perform(asked).kind == "done"
    assert (tmp_path / "kept" / "here" / "notes").read_text() == "kept"


def test_a_cancel_ends_all_of_it(tmp_path: Path) -> None:
    lane = Lane(0, tmp_path)
    seen: list[int] = []

    def cancel(message: dict[str, object] | None) -> None:
        assert lane.guest is not None
        assert lane.guest.child is not None
        guard = psutil.Process(lane.guest.child.pid)
        if computing := guard.children(recursive=True):
            seen.extend([guard.pid, *(one.pid for one in computing)])
            raise Stop("cancelled")

    result = apart.perform(lane, b.work("never_ends", tmp_path), cancel, beat_every=0.3)
    assert (result.kind, result.message["reason"]) == ("stopped", "cancelled")
    assert len(seen) == 2
    assert not [pid for pid in seen if psutil.pid_exists(pid)]
    assert lane.guest is None


def test_a_copy_that_was_changed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "given.csv"
    given.write_text("changed")
    asked = b.work("well_behaved", tmp_path)
    object.__setattr__(asked, "digests", {str(given): "0" * 64})
    result = admission.judge(asked, b.perform(asked))
    assert result.message["error"]["code"] == "changed_input"
    assert "given.csv" in result.message["error"]["message"]


def test_baton_without_landlock_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement.landlock, "abi", lambda: 0)
    found = confinement.available()
    assert (found["writes"], found["reads"], found["signals"]) == ("", "", "")
    assert confinement.missing(found) == ["writes", "reads", "signals"]


def test_code_that_changed_under_the_worker_is_not_run(site: Path, tmp_path: Path) -> None:
    asked = b.work("well_behaved", tmp_path)
    path = site / "odd_operations" / "well_behaved" / "compute.py"
    before = path.read_text()
    try:
        path.write_text(before + "\n# other\n")
        result = b.perform(asked)
    finally:
        path.write_text(before)
    assert result.message["error"]["code"] == "package_changed"
    assert (
        "Its files were changed while this worker ran; restart"
        in result.message["error"]["message"]
    )


def test_a_cached_compiled_file_is_not_run_for_its_source(site: Path, tmp_path: Path) -> None:
    """Its digest leaves caches out, so a cache that says another thing must not be what runs."""
    source = site / "odd_operations" / "well_behaved" / "compute.py"
    other = tmp_path / "other.py"
    other.write_text("raise ValueError('the cache was run')")
    cached = Path(importlib.util.cache_from_source(str(source)))
    py_compile.compile(
        str(other), str(cached), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    try:
        assert attempt("well_behaved", tmp_path).kind == "done"
    finally:
        cached.unlink()
