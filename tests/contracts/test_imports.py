"""Processes that answer people stay light: the numeric libraries live in children and `serve`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "optuna",
    "skops",
    "onnx",
    "altair",
    "vl_convert",
    "duckdb",
    "typst",
)
# Every page and endpoint is imported with the addresses, every spec with its operation.
WEB = """
import portal.asgi
from django.urls import get_resolver
count = len(get_resolver().reverse_dict)
from pipelines import catalogue
specs = [catalogue.spec(name) for name in catalogue.OPERATIONS]
checks = [catalogue.check(name) for name in catalogue.CHECKS]
"""
ENGINE = """
import django
django.setup()
import pipelines.runs.management.commands.engine
from pipelines import catalogue
effects = [catalogue.effect(name) for name in catalogue.EFFECTS]
"""
WORKER = "import portal.celery, django; django.setup(); import pipelines.runs.jobs"
CHILD = "import pipelines.runs.child"


@pytest.mark.parametrize(
    "imports", [WEB, ENGINE, WORKER, CHILD], ids=["web", "engine", "worker", "child at its start"]
)
def test_process_imports_no_numeric_library(imports: str, tmp_path: Path) -> None:
    """Importing scikit-learn alone takes 2 s and 150 MB."""
    code = f"{imports}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env={
            **os.environ,
            "BATON_VAR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == ""
