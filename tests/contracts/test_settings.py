"""Settings: each is documented, each document line exists, a malformed value is refused."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db.backends.postgresql.psycopg_any import is_psycopg3

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "portal" / "settings.py"
READERS = {"str", "_whole", "_number", "_yes", "_address", "_choice", "_words", "_list"}
# Read by the tests and .ci/run, not by the application.
OF_THE_TESTS = {"BATON_TEST_VAR", "BATON_REQUIRE_BROWSER", "CHROMIUM"}


def read_in_code() -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(SETTINGS.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        reader = getattr(node.func, "attr", getattr(node.func, "id", ""))
        first = node.args[0]
        if reader in READERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            names.add(first.value)
    return {name for name in names if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", name)}


def named_in_docs() -> set[str]:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([A-Z_]+)` \|", text, flags=re.MULTILINE))


def load(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("BATON_", "DATABASE", "REDIS"))
    }
    return subprocess.run(
        [sys.executable, "manage.py", "diffsettings"],
        cwd=ROOT,
        env={**kept, "DJANGO_SETTINGS_MODULE": "portal.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_documents_name_each_setting_and_no_other() -> None:
    assert len(read_in_code()) > 20
    assert named_in_docs() - OF_THE_TESTS == read_in_code()


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("BATON_PORT", "eighty", "must be a whole number from 1 to 65535, but is 'eighty'"),
        ("BATON_PORT", "0", "must be a whole number from 1 to 65535, but is '0'"),
        ("BATON_SWEEP_SECONDS", "nan", "must be a number from 0.05 to 60, but is 'nan'"),
        ("BATON_DEMO", "maybe", "must be yes or no, but is 'maybe'"),
        ("BATON_DB_ROLE", "root", "must be one of application, owner, but is 'root'"),
        ("BATON_SECRET_KEY", "short", "must have at least 32 characters"),
        ("REDIS_URL", "http://x:secret@h", "must begin with one of redis://, rediss://, unix://"),
        ("DATABASE_URL", "mysql://u:secret@h/x", "must begin with one of postgres://"),
    ],
)
def test_malformed_value_is_refused(tmp_path: Path, name: str, value: str, rule: str) -> None:
    done = load(BATON_VAR=str(tmp_path), **{name: value})
    assert done.returncode == 2
    assert f"baton: {name} {rule}" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret@" not in done.stderr


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = load(BATON_VAR=str(tmp_path / "file" / "var"))
    assert done.returncode == 2
    assert "BATON_VAR: the folder" in done.stderr


def test_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    assert load(BATON_VAR=str(tmp_path)).returncode == 0
    key = tmp_path / "secret_key"
    first = key.read_text()
    assert len(first) >= 64
    assert key.stat().st_mode & 0o777 == 0o600
    assert load(BATON_VAR=str(tmp_path)).returncode == 0
    assert key.read_text() == first


def test_help_starts_no_server(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--help"],
        cwd=ROOT,
        env={**os.environ, "BATON_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "usage:" in done.stdout
    assert not (tmp_path / "pg").exists()


def test_cookies_follow_the_address(tmp_path: Path) -> None:
    plain = load(BATON_VAR=str(tmp_path)).stdout
    secure = load(BATON_VAR=str(tmp_path), BATON_URL="https://baton.example.org").stdout
    assert "SESSION_COOKIE_SECURE = True" not in plain
    for line in ("SESSION_COOKIE_SECURE = True", "CSRF_COOKIE_SECURE = True"):
        assert line in secure
    assert "baton.example.org" in secure


def test_psycopg_2_drives() -> None:
    assert is_psycopg3 is False


def test_lock_names_no_host_and_no_psycopg_3() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path
        assert "--hash=sha256:" in text, path
        assert not re.search(r"^psycopg(\[|==)", text, flags=re.MULTILINE), path


def test_a_simulation_refuses_a_name_that_postgresql_would_cut() -> None:
    """What is left of the name could be the real database's."""
    name = "b" * 63
    address = f"postgres://baton@localhost:5432/{name}"
    done = load(DATABASE_URL=address, BATON_SIMULATION="yes")
    assert done.returncode != 0
    assert "needs one of at most 52" in done.stderr
    assert load(DATABASE_URL=address).returncode == 0


def test_a_simulation_beside_real_work_has_wake_up_calls_of_its_own() -> None:
    said = load(BATON_SIMULATION="yes").stdout
    assert "REDIS_PREFIX = 'simulation:'" in said
    assert "'global_keyprefix': 'simulation:'" in said
    assert "global_keyprefix" not in load().stdout


def test_kept_statements_are_planned_once() -> None:
    assert "plan_cache_mode=force_generic_plan" in load().stdout
