"""The processes of one Baton and how each is started."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings

from portal.supervisor import Child, python

ENVIRONMENT = {
    "BATON_DB_ROLE": "application",
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    # More threads make one-row predictions slower, and stages fight for the same cores.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}


def web() -> list[str]:
    """Pages, API and event streams."""
    return _granian("portal.asgi:application", settings.PORT)


def serve() -> list[str]:
    """Predictions."""
    return _granian("portal.serve.app:app", settings.SERVE_PORT)


def engine() -> list[str]:
    """Relay, sweeper, timers, outbox."""
    return python(str(settings.BASE_DIR / "manage.py"), "engine")


def worker() -> list[str]:
    """Celery with threads: each supervises one warm child that performs steps."""
    return python(
        *("-m", "celery", "-q", "-A", "portal.celery", "worker", "-P", "threads"),
        *("-c", str(settings.WORKER_THREADS), "-Q", ",".join(settings.WORKER_QUEUES)),
        *("-l", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


# The web process first, as people wait for it.
COMMANDS: Mapping[str, Callable[[], list[str]]] = {
    "web": web,
    "engine": engine,
    "worker": worker,
    "serve": serve,
}


def children(logs: Path) -> list[Child]:
    """One of each."""
    return [
        Child(name, command(), logs / f"{name}.log", ENVIRONMENT)
        for name, command in COMMANDS.items()
        if name != "serve" or find_spec("portal.serve")
    ]


def _granian(target: str, port: int) -> list[str]:
    return python(
        *("-m", "granian", "--interface", "asgi", "--workers", "1", "--no-ws"),
        *("--host", settings.HOST, "--port", str(port), "--log-level", "warning"),
        *("--workers-kill-timeout", "10", target),
    )
