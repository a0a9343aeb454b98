"""One contract for every operation and check in the catalogue."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import catalogue
from pipelines.operations import conformance
from pipelines.operations.conformance import Operation, Performed
from pipelines.operations.contract import Json

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
# Whether the order of rows matters is said by packages only so far. Files that are none are refused
# by `ingest`, before any other operation of ours reads them.
OF_CODE = ("declaration", "defaults", "purity")
OF_RUNS = (
    "inputs_unchanged",
    "outputs_as_declared",
    "same_twice",
    "facts_are_json",
    "progress_told",
)
OF_PACKAGES = ("row_order", "order_free", "bad_files_refused")


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
        try:
            done[name] = conformance.perform_twice(operation(name), tmp_path_factory.mktemp(name))
        except conformance.NoExample as error:
            pytest.skip(str(error))
    return done[name]


def operation(name: str) -> Operation:
    return conformance.load(catalogue.OPERATIONS[name])


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
@pytest.mark.parametrize("rule", OF_CODE)
def test_code_conforms(name: str, rule: str) -> None:
    assert catalogue.spec(name).name == name
    assert conformance.judged(rule, operation(name)) == []


# All rules of an operation together: of two processes only one has to run it.
@pytest.mark.parametrize("name", NAMES, scope="session")
@pytest.mark.parametrize("rule", OF_RUNS)
def test_runs_conform(name: str, rule: str, performed: Performed) -> None:
    assert conformance.judged(rule, operation(name), performed) == []


def test_every_rule_is_asked_of_ours_or_said_why_not() -> None:
    assert {*OF_CODE, *OF_RUNS, *OF_PACKAGES} == set(conformance.RULES)


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
