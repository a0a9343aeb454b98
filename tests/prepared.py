"""A PostgreSQL folder with Baton's tables in it, made once and copied.

A first start spends most of its time on migrations. Tests of what comes after them begin with a
copy; tests/faults/test_up.py starts on an empty folder, as people do.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.conf import settings

from portal.embedded import Places, postgres
from portal.embedded.identity import choose

ROOT = Path(__file__).resolve().parent.parent
MAKE = """
import django
django.setup()
from django.core.management import call_command
from portal import embedded
hold = embedded.ensure_configured()
call_command("migrate", interactive=False, verbosity=0)
hold.release()
"""
# What would lead a process to other servers than those of its own folder.
ELSEWHERE = ("BATON_", "DATABASE", "REDIS", "ARTEFACT_URL")


def outside(var: Path, **more: str) -> dict[str, str]:
    """The environment of a process on a folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
    own = {"BATON_VAR": str(var), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    return {**kept, **own, **more}


@cache
def migrations_digest() -> str:
    """What a database was made from."""
    digest = hashlib.sha256()
    for app in ("personas", "pipelines", "portal"):
        for path in sorted((ROOT / app).rglob("migrations/*.py")):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def fill(var: Path, *, waits_for_disk: bool = True) -> None:
    """Put migrated tables into a folder on which no server has run yet."""
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = postgres._data_folder(Places(var=var, sockets=var), choose())
    shutil.copytree(_template(), target)
    if not waits_for_disk:
        with (target / "postgresql.auto.conf").open("a", encoding="utf-8") as settings_:
            settings_.write("fsync = off\nfull_page_writes = off\n")


def _template() -> Path:
    """The stopped server's data folder to copy, of the migrations as they are."""
    home = Path(settings.VAR) / "prepared"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    var, made_from = home / "var", home / "made-from"
    # Of two test processes the second one waits.
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made_from.exists() or made_from.read_text("utf-8") != migrations_digest():
            made_from.unlink(missing_ok=True)
            shutil.rmtree(var, ignore_errors=True)
            _make(outside(var, BATON_DB_ROLE="owner"))
            made_from.write_text(migrations_digest(), "utf-8")
    return postgres._recorded_data(Places(var=var, sockets=var))


def _make(environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAKE],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
