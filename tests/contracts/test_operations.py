"""One contract for every operation and check in the catalogue."""

import ast
import hashlib
import importlib.util
import inspect
import json
import math
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines import catalogue
from pipelines.operations.contract import Context, Json, NotYet, Outcome, Spec, clean_params

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(catalogue.OPERATIONS)
HEAVY = (
    "numpy",
    "duckdb",
    "pandas",
    "pyarrow",
    "sklearn",
    "scipy",
    "skops",
    "optuna",
    "onnxruntime",
    "onnx",
    "pandera",
    "django",
    "celery",
    "redis",
    "personas",
)
FORBIDDEN_IN_COMPUTE = ("django", "celery", "redis", "requests", "httpx", "socket", "psycopg2")
CLOCKS = (
    "time.time",
    "datetime.now",
    "datetime.utcnow",
    "date.today",
    "Timestamp.now",
    "perf_counter_ns",
)
Given = Mapping[str, Path | Mapping[str, Path]]


@dataclass(frozen=True)
class Performed:
    """An operation run twice on its example: inputs before and after, outcomes, progress."""

    before: Mapping[Path, str]
    after: Mapping[Path, str]
    first: Outcome
    second: Outcome
    folder: Path
    progress: tuple[float, ...]


@pytest.fixture(scope="session")
def done() -> dict[str, Performed]:
    """What has run already: tests come in random order, each operation runs but once."""
    return {}


@pytest.fixture
def performed(
    name: str, done: dict[str, Performed], tmp_path_factory: pytest.TempPathFactory
) -> Performed:
    """The operation run twice on its example; skips where it has none."""
    if name not in done:
        done[name] = perform_twice(name, tmp_path_factory.mktemp(name))
    return done[name]


def perform_twice(name: str, folder: Path) -> Performed:
    """Build the example, run it twice, and look at its inputs before and after."""
    path = f"{catalogue.OPERATIONS[name]}.example"
    if importlib.util.find_spec(path) is None:
        pytest.skip(f"{name} has no example")
    (folder / "given").mkdir()
    module = importlib.import_module(path)
    given, params = module.example(folder / "given")
    made = getattr(module, "connection", None)
    through = made(folder / "given") if made else {}
    before = {path: digest(path) for path in files_of(given)}
    seen: list[float] = []
    first = perform(name, folder / "first", given, params, seen, through)
    second = perform(name, folder / "second", given, params, [], through)
    after = {path: digest(path) for path in files_of(given)}
    return Performed(before, after, first, second, folder, tuple(seen))


def perform(
    name: str,
    folder: Path,
    given: Given,
    params: Mapping[str, Json],
    seen: list[float],
    connection: Mapping[str, Json],
) -> Outcome:
    """Run with seed 7; progress goes to `seen`."""
    spec = catalogue.spec(name)
    folder.mkdir()
    outcome = catalogue.resolve(name)(
        Context(
            spec=spec,
            folder=folder,
            inputs={port: value for port, value in given.items() if isinstance(value, Path)},
            many={port: value for port, value in given.items() if not isinstance(value, Path)},
            params=clean_params(spec, params),
            seed=7,
            connection=connection,
            report=lambda share, message, rows: seen.append(share),
        )
    )
    if isinstance(outcome, NotYet):
        pytest.skip(f"{name} waits in its example")
    assert isinstance(outcome, Outcome)
    return outcome


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(given: Given) -> list[Path]:
    paths: list[Path] = []
    for value in given.values():
        paths += [value] if isinstance(value, Path) else list(value.values())
    return paths


def without_durations(facts: Json) -> Json:
    if isinstance(facts, dict):
        return {k: without_durations(v) for k, v in facts.items() if not k.endswith("_seconds")}
    if isinstance(facts, list):
        return [without_durations(item) for item in facts]
    return facts


def assert_finite_json(value: Json, path: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            assert type(key) is str, f"{path}: key {key!r}"
            assert_finite_json(item, f"{path}.{key}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            assert_finite_json(item, f"{path}[{at}]")
    else:
        assert value is None or type(value) in (bool, int, float, str), f"{path}: {value!r}"
        assert not isinstance(value, float) or math.isfinite(value), f"{path}: {value!r}"


def test_specs_and_checks_import_nothing_heavy() -> None:
    code = (
        "import sys; from pipelines import catalogue\n"
        "for name in catalogue.OPERATIONS: catalogue.spec(name)\n"
        "for name in catalogue.CHECKS: catalogue.check(name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_spec_is_complete(name: str) -> None:
    spec = catalogue.spec(name)
    assert isinstance(spec, Spec)
    assert spec.name == name
    assert spec.version >= 1
    assert spec.summary
    assert spec.outputs, "an operation has an output"
    assert spec.max_runtime > 0
    assert spec.max_memory > 0
    if spec.connects:
        assert not spec.cacheable, "what lies outside may have changed"
        assert "connection" in {param.name for param in spec.params}
    for port in (*spec.inputs, *spec.outputs):
        assert port.help, f"port {port.name} has no help"
    for param in spec.params:
        assert param.help, f"param {param.name} has no help"
        assert re.fullmatch(r"[a-z][a-z0-9_]*", param.name)
    for group in (spec.inputs, spec.outputs, spec.params):
        names = [entry.name for entry in group]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("name", NAMES)
def test_defaults_suit_their_own_declaration(name: str) -> None:
    spec = catalogue.spec(name)
    needed = {
        param.name: 1 if param.kind in ("int", "float") else "x"
        for param in spec.params
        if param.required
    }
    given = {
        param.name: param.choices[0] if param.choices else shaped(param.kind, needed[param.name])
        for param in spec.params
        if param.required
    }
    assert set(clean_params(spec, given)) == {param.name for param in spec.params}


def shaped(kind: str, value: Json) -> Json:
    return {"list": ["x"], "map": {"x": 1}, "bool": True}.get(kind, value)


@pytest.mark.parametrize("name", NAMES)
def test_compute_is_documented_and_pure(name: str) -> None:
    run = catalogue.resolve(name)
    assert inspect.getdoc(run), "run has a docstring"
    assert list(inspect.signature(run).parameters) == ["context"]
    found = importlib.util.find_spec(f"{catalogue.OPERATIONS[name]}.compute")
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "compute.py has a docstring"
    imported = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not [item for item in imported if item.split(".")[0] in FORBIDDEN_IN_COMPUTE]
    assert not [clock for clock in CLOCKS if clock in source]


each_performed = pytest.mark.parametrize("name", NAMES)


@each_performed
def test_inputs_are_left_alone(name: str, performed: Performed) -> None:
    assert performed.before == performed.after


@each_performed
def test_declared_outputs_are_written_in_the_folder(name: str, performed: Performed) -> None:
    declared = {port.name: port for port in catalogue.spec(name).outputs}
    written = performed.first.outputs
    assert set(written) <= set(declared)
    assert {port for port, found in declared.items() if not found.optional} <= set(written)
    for path in written.values():
        assert path.is_file()
        assert path.is_relative_to(performed.folder / "first")


@each_performed
def test_two_runs_are_bit_equal(name: str, performed: Performed) -> None:
    if not catalogue.spec(name).repeatable:
        pytest.skip(f"{name} measures the machine and says so")
    first, second = performed.first, performed.second
    differ = [
        port
        for port in first.outputs
        if digest(first.outputs[port]) != digest(second.outputs[port])
    ]
    assert differ == []
    assert without_durations(first.facts) == without_durations(second.facts)


@each_performed
def test_facts_are_small_finite_json(name: str, performed: Performed) -> None:
    assert performed.first.facts
    assert_finite_json(performed.first.facts, name)
    assert len(json.dumps(performed.first.facts, allow_nan=False)) < 200_000


@each_performed
def test_progress_is_reported_and_never_goes_back(name: str, performed: Performed) -> None:
    assert performed.progress, "an operation reports progress"
    assert list(performed.progress) == sorted(performed.progress)


@pytest.mark.parametrize("name", sorted(catalogue.CHECKS))
def test_check_without_facts_is_insufficient(name: str) -> None:
    check = catalogue.check(name)
    result = check({}, {})
    assert result.verdict == "insufficient"
    assert result.summary
    assert inspect.getdoc(check)
    json.dumps(result.as_json(), allow_nan=False)


@pytest.mark.parametrize("name", sorted(catalogue.CHECKS))
def test_check_survives_facts_of_the_wrong_shape(name: str) -> None:
    class Odd(dict[str, Json]):
        """Has every key, each with a value no check expects."""

        def __missing__(self, key: str) -> Json:
            return "odd"

        def __contains__(self, key: object) -> bool:
            return True

        def get(self, key: str, default: object = None) -> Json:  # type: ignore[override]
            return "odd"

    class Everything(dict[str, Odd]):
        """Has facts for every step and item."""

        def __missing__(self, key: str) -> Odd:
            return Odd()

        def get(self, key: str, default: object = None) -> Odd:  # type: ignore[override]
            return Odd()

    result = catalogue.check(name)(Everything(), {})
    assert result.verdict in ("pass", "fail", "insufficient")
