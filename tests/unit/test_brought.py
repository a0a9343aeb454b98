"""What installed packages bring is found without running it here, and refused with the reason."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import brought, catalogue
from pipelines.blueprints.lint import lint
from pipelines.blueprints.parse import parse
from pipelines.brought import places, reading
from pipelines.confinement import available, seccomp
from pipelines.operations import conformance
from pipelines.operations.contract import Json
from pipelines.runs import checks
from tests import brought as b
from tests.long import only_long

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "docs" / "operation-template"
FINE = {"odd": "return made(context)"}


def needs(what: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not available()[what], reason=f"this kernel does not hold {what}")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    site = tmp_path / "site"
    site.mkdir()
    with b.on_path(site, monkeypatch):
        yield site


def brings(site: Path, **more: str) -> None:
    b.install(site, FINE, **more)
    brought.forget()


def spec_is(site: Path, text: str) -> str:
    """Let the spec be this, and say why the operation cannot be used."""
    brings(site)
    (site / "odd_operations" / "odd" / "spec.py").write_text(text)
    brought.forget()
    assert not catalogue.knows("odd")
    with pytest.raises(KeyError):
        catalogue.spec("odd")
    return catalogue.why_not("odd")


def test_without_packages_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    brought.forget()
    assert catalogue.names() == list(catalogue.OPERATIONS)
    assert not catalogue.knows("odd")
    assert catalogue.package("noop") is None


def test_it_is_found_with_whose_it_is_and_none_of_it_is_imported(site: Path) -> None:
    brings(site)
    assert catalogue.knows("odd")
    assert catalogue.names()[-1] == "odd"
    spec = catalogue.spec("odd")
    assert (spec.max_memory, spec.outputs[0].name, spec.params[0].kind) == (512, "result", "str")
    package = catalogue.package("odd")
    assert package is not None
    assert str(package) == "odd-operations 1.0"
    assert len(package.digest) == 64
    assert not [name for name in sys.modules if name.startswith("odd_operations")]


def test_what_is_read_comes_through_whole(site: Path) -> None:
    """Ports, params and limits of a real operation of ours, as if a package had brought them."""
    text = (ROOT / "pipelines/operations/split_data/spec.py").read_text()
    brings(site)
    (site / "odd_operations" / "odd" / "spec.py").write_text(
        f"{text}\nfrom dataclasses import replace\n"
        "SPEC = replace(SPEC, name='odd', row_order='used')"
    )
    brought.forget()
    own, theirs = catalogue.spec("split_data"), catalogue.spec("odd")
    assert (own.inputs, own.outputs, own.params) == (theirs.inputs, theirs.outputs, theirs.params)


def test_other_content_is_another_digest_and_compiled_files_are_none(site: Path) -> None:
    brings(site)
    first = catalogue.package("odd")
    assert first is not None
    (site / "odd_operations" / "__pycache__").mkdir()
    (site / "odd_operations" / "__pycache__" / "x.pyc").write_bytes(b"1")
    brought.forget()
    assert catalogue.package("odd") == first
    (site / "odd_operations" / "table.csv").write_text("not recorded, yet there")
    brought.forget()
    second = catalogue.package("odd")
    assert second is not None
    assert second.digest != first.digest
    assert catalogue.same_code("odd", 1, second.as_json())
    assert not catalogue.same_code("odd", 1, first.as_json())
    assert not catalogue.same_code("odd", 1, {})
    assert catalogue.same_code("noop", catalogue.spec("noop").version, {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        ("import nothing_of_the_kind", "ModuleNotFoundError"),
        ("SPEC = 3", "is no Spec but int"),
        ("import os; os._exit(9)", "status 9"),
        pytest.param("open('/tmp/written', 'w')", "Permission", marks=needs("writes")),
        pytest.param("import socket; socket.socket()", "Permission", marks=needs("network")),
        ("x = bytearray(8 << 30)", "MemoryError"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
    ],
)
def test_what_breaks_while_it_is_read_is_named(site: Path, text: str, says: str) -> None:
    why = spec_is(site, text)
    assert why.startswith("odd-operations 1.0: ")
    assert says in why


def test_what_is_slow_is_named_and_not_waited_for(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READ_SECONDS", 0.5)
    assert "longer than 0.5 s" in spec_is(site, "import time; time.sleep(60)")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ("name='other'", "SPEC.name is 'other', the entry point's name is 'odd'"),
        ("connects=True, cacheable=False", "SPEC.connects is for Baton's own operations"),
        ("max_memory=4096", "SPEC.max_memory above 2048 MiB needs queue='memory'"),
        ("queue='fast'", "SPEC.queue must be one of cpu, memory, gpu, got 'fast'"),
        ("version=0", "SPEC.version must be 1 to 32767, got 0"),
        ("max_memory=5", "SPEC.max_memory must be 64 to"),
        ("max_runtime='1 h'", "Spec.max_runtime must be int, got '1 h'"),
        ("outputs=()", "declares no output"),
        ("inputs=(Port('a', 'excel'),)", "'excel' is no medium"),
        ("params=(Param('Übung', 'int'),)", "param 'Übung' must be small letters"),
        ("inputs=(Port('a', 'csv'),)", "SPEC.row_order is 'free' or 'used'"),
        ("row_order='perhaps'", "SPEC.row_order must be one of free, used"),
    ],
)
def test_what_baton_does_not_let_it_ask_for(site: Path, fields: str, says: str) -> None:
    text = (
        "from pipelines.operations.contract import Param, Port, Spec\n"
        "given = dict(name='odd', version=1, summary='Odd', outputs=(Port('result', 'json'),))\n"
        f"SPEC = Spec(**(given | dict({fields})))\n"
    )
    assert says in spec_is(site, text)


def test_a_name_of_ours_is_refused_and_ours_stays(site: Path) -> None:
    b.install(site, {"noop": "return made(context)"})
    brought.forget()
    assert catalogue.spec("noop").summary != "Do something odd"
    assert catalogue.package("noop") is None
    (one,) = catalogue.brought_operations()
    assert "Baton itself has an operation of this name" in one.error


def test_one_name_of_two_packages_is_neithers(site: Path) -> None:
    brings(site)
    b.install(site, FINE, distribution="other-operations", package="other_operations")
    brought.forget()
    assert not catalogue.knows("odd")
    why = catalogue.why_not("odd")
    assert "odd-operations 1.0 and other-operations 1.0 bring an operation" in why


def test_a_broken_package_leaves_the_others_alone(site: Path) -> None:
    brings(site)
    b.install(site, {"bad": "pass"}, distribution="bad-operations", package="bad_operations")
    (site / "bad_operations" / "__init__.py").write_text("import os; os._exit(1)")
    brought.forget()
    assert catalogue.knows("odd")
    assert not catalogue.knows("bad")
    found = [message.msg for message in checks.brought_operations()]
    assert any("Operation bad of bad-operations 1.0" in text for text in found)
    listed = {one["name"]: one for one in catalogue.listed()}
    assert (listed["odd"]["error"], listed["noop"]["package"]) == ("", None)
    assert listed["bad"]["error"]
    assert listed["bad"]["version"] is None


def test_a_blueprint_that_names_it_is_refused_with_the_reason(site: Path) -> None:
    why = spec_is(site, "raise RuntimeError('broken')")
    step = {"key": "a", "operation": "odd"}
    stage = {"key": "one", "title": "One", "persona": "BA", "steps": [step]}
    plan = parse({"key": "plan", "title": "Plan", "kind": "main", "stages": [stage]})
    known = {"personas": {"BA"}, "operations": {}, "checks": (), "effects": (), "feeds": ()}
    (problem,) = lint(plan, **known, refused={"odd": why})
    assert "cannot be used: odd-operations 1.0: RuntimeError: broken" in problem.message
    assert problem.path.endswith("operation")


# --- the template --------------------------------------------------------------------------------


@pytest.fixture
def template(site: Path) -> Path:
    """The template, built and installed by its own build system; no index is asked."""
    source = site.parent / "template"
    shutil.copytree(TEMPLATE, source)
    uv = Path(sys.executable).with_name("uv")
    offline = ("--offline", "--no-index", "--no-deps", "--no-cache", "--quiet")
    subprocess.run(
        [uv, "pip", "install", *offline, "--python", sys.executable, "--target", site, source],
        check=True,
        capture_output=True,
        timeout=60,
    )
    brought.forget()
    return source


def test_the_template_is_usable_as_it_ships(template: Path, tmp_path: Path) -> None:
    assert catalogue.why_not("count_values") == ""
    from acme_operations.count_values.example import example  # type: ignore[import-not-found]

    given, params = example(tmp_path)
    asked = b.work("count_values", tmp_path, {k: str(v) for k, v in given.items()}, **params)
    result = b.perform(asked)
    assert result.kind == "done", result
    assert result.message["facts"] == {"rows": 200, "distinct": 5, "largest_share": 0.375}
    assert '"B6", "counts": 75' in Path(result.message["outputs"]["counts"]).read_text()


@only_long
def test_its_contract_test_passes_where_its_builder_runs_it(template: Path, site: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django"],
        cwd=template,
        env={**reading.environment(), "PYTHONPATH": f"{site}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(conformance.RULES)} passed" in done.stdout


BREAKS = {
    "declaration": ("spec.py", 'help="The column to count"', 'help=""'),
    "defaults": ("spec.py", '"int", 20, minimum=1', '"int", 0, minimum=1'),
    "purity": ("compute.py", "import json\n", "import json\nimport socket\n"),
    "row_order": ("spec.py", 'row_order="free",', ""),
    "inputs_unchanged": (
        "compute.py",
        "    rows = column.length()",
        '    context.inputs["table"].write_bytes(b"")\n    rows = column.length()',
    ),
    "outputs_as_declared": ("compute.py", '{"counts": path}', '{"other": path}'),
    "same_twice": ("compute.py", '"distinct": len(counted)', '"distinct": str(context.folder)'),
    "facts_are_json": ("compute.py", "else None", 'else float("nan")'),
    "progress_told": ("compute.py", "context.progress", "(lambda *words: None)"),
    "order_free": ("compute.py", '"distinct": len(counted)', '"distinct": str(column[0])'),
    "bad_files_refused": ("compute.py", "except pa.ArrowException", "except KeyError"),
}


@pytest.mark.parametrize("rule", conformance.RULES)
def test_each_rule_finds_who_breaks_it(
    rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = f"broken_{rule}"
    place = tmp_path / package
    shutil.copytree(TEMPLATE / "acme_operations" / "count_values", place)
    name, old, new = BREAKS[rule]
    text = (place / name).read_text()
    assert old in text
    (place / name).write_text(text.replace(old, new))
    if rule == "facts_are_json":
        broken = (place / "compute.py").read_text()
        (place / "compute.py").write_text(broken.replace("if rows else", "if not rows else"))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert conformance.problems(package, rule, folder=tmp_path) != []


@needs("reads")
def test_a_spec_reads_nothing_of_ours_to_publish_it(site: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret_key"
    secret.write_text("told to all")
    said = spec_is(
        site,
        f"open('/dev/null').close()\nraise ValueError(open({str(secret)!r}).read())",
    )
    assert "PermissionError" in said
    assert "told to all" not in said


def test_where_something_of_ours_lies_in_a_readable_place_what_is_beside_it_is_read(
    tmp_path: Path,
) -> None:
    for name in ("lib/python", "src/baton/pipelines", "src/other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "src" / "baton")
    ours = [tmp_path / "src" / "baton"]
    assert list(places.around(tmp_path / "lib", ours)) == [str(tmp_path / "lib")]
    found = list(places.around(tmp_path, ours))
    assert found == [str(tmp_path / "lib"), str(tmp_path / "src" / "other")]
    assert list(places.around(ours[0], ours)) == []


def test_baton_lies_beneath_no_place_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Path("/usr/share/baton-data")
    monkeypatch.setenv("BATON_VAR", str(data))
    read = [Path(place).resolve() for place in places.readable(["json"])]
    assert Path("/usr/lib").resolve() in read
    assert not [one for one in read if ROOT.is_relative_to(one) or data.is_relative_to(one)]


@pytest.mark.skipif(not seccomp.available(), reason="no seccomp")
def test_a_spec_leaves_no_process_behind(site: Path, tmp_path: Path) -> None:
    said = spec_is(
        site,
        "import os, threading, time\n"
        "began = threading.Thread(target=print); began.start(); began.join()\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(3)\n"
        "    os._exit(0)\nraise ValueError('it has one')",
    )
    assert "PermissionError" in said


@needs("reads")
def test_a_reader_that_cannot_be_held_back_says_so(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(reading.bounds(["odd_operations.odd"]), reads=("x" * 300,))
    monkeypatch.setattr(reading, "bounds", lambda modules: broken)
    brings(site)
    assert "cannot be held back" in catalogue.why_not("odd")


@pytest.mark.parametrize("place", ["inner.pyc", "__pycache__/inner.so"])
def test_compiled_code_that_can_be_imported_is_part_of_the_digest(site: Path, place: str) -> None:
    brings(site)
    first = catalogue.package("odd")
    (site / "odd_operations" / place).parent.mkdir(exist_ok=True)
    (site / "odd_operations" / place).write_bytes(b"1")
    brought.forget()
    assert catalogue.package("odd") != first


def test_the_same_files_under_another_entry_are_another_digest(site: Path) -> None:
    brings(site, distribution="odd-operations")
    first = catalogue.package("odd")
    listed = next(site.glob("*.dist-info")) / "entry_points.txt"
    listed.write_text(listed.read_text().replace("odd_operations.odd", "odd_operations"))
    brought.forget()
    found = brought.find("odd")
    assert found is not None
    assert first is not None
    assert found.package.digest != first.digest


def test_what_was_not_read_in_time_is_read_again_later(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brings(site)
    late = {"odd": {"error": "reading it took longer than 10 s", "late": True}}
    with monkeypatch.context() as patch:
        patch.setattr(brought, "read", lambda modules: late)
        assert "took longer" in catalogue.why_not("odd")
    assert "took longer" in catalogue.why_not("odd")  # not at each look
    monkeypatch.setattr(brought, "AGAIN_SECONDS", -1.0)
    assert catalogue.knows("odd")


def test_many_who_ask_at_once_let_it_be_read_once(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brings(site)
    asked: list[object] = []

    def slowly(modules: Mapping[str, str]) -> dict[str, dict[str, Json]]:
        asked.append(modules)
        time.sleep(0.1)
        return {"odd": {"error": "no"}}

    monkeypatch.setattr(brought, "read", slowly)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(brought.find, ["odd"] * 8))
    assert len(asked) == 1
    assert {one.error for one in found if one} == {"no"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have less than root's rights")
@pytest.mark.parametrize("kept", [0, 0b110])
def test_root_with_few_rights_is_bound_and_says_what_counts(kept: int) -> None:
    """As in a container without CAP_SETUID; without the rights to read others' files, either."""
    text = (
        "import ctypes, struct; from pipelines import confinement\n"
        f"rights = struct.pack('=6I', {kept}, {kept}, 0, 0, 0, 0)\n"
        "head = struct.pack('=Ii', 0x20080522, 0)\n"
        "assert ctypes.CDLL(None).capset(head, rights) == 0\n"
        "print(confinement.confine(confinement.Bounds(512, 2, 8))['processes'])"
    )
    said = subprocess.run(
        [sys.executable, "-c", text],
        env=reading.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.stdout, said.stderr) == ("counted\n", "")
