"""Celery lends processes: what would let it keep state, repeat or delay work stays off."""

import ast
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for folder in ("personas", "pipelines", "portal")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
# Delays and retries live in rows with `due_at`; a message that Celery holds back can be lost.
FORBIDDEN_CALLS = {"apply_async", "retry", "revoke", "chord", "chain", "starmap"}
FORBIDDEN_WORDS = {"eta", "countdown", "expires"}


def test_every_process_uses_our_application() -> None:
    assert current_app.main == "baton"
    assert current_app.conf.broker_url == settings.CELERY_BROKER_URL


def test_messages_carry_no_work() -> None:
    conf = current_app.conf
    assert conf.task_acks_late is False
    assert conf.task_reject_on_worker_lost is False
    assert conf.task_ignore_result is True
    assert conf.result_backend is None
    assert conf.worker_disable_prefetch is True
    assert conf.worker_prefetch_multiplier == 1


def test_the_connection_outlives_a_poke() -> None:
    # Without it Celery closes the database connection after each message (117 ms, not 36).
    assert current_app.conf.db_reuse_max or settings.CELERY_DB_REUSE_MAX >= 1000


def uses_celery(tree: ast.AST) -> bool:
    return any(
        (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("celery"))
        or (isinstance(node, ast.Import) and any(a.name.startswith("celery") for a in node.names))
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if uses_celery(ast.parse(p.read_text()))], ids=lambda p: p.name
)
def test_no_delay_no_retry_no_canvas(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        assert name not in FORBIDDEN_CALLS, f"{path}:{node.lineno} calls {name}"
        if name in {"send_task", "delay", "poke"}:
            words = {keyword.arg for keyword in node.keywords}
            assert not words & FORBIDDEN_WORDS, f"{path}:{node.lineno} gives {words}"
