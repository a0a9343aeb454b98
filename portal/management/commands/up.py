"""Serve Baton: apply migrations, then supervise web, engine, worker and serve."""

import errno
import http.client
import shutil
import socket
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from portal import bundle, embedded, processes, simulations
from portal.supervisor import OnlyOne, Supervisor

_LEAST_FREE_MB = 200
_ASK_SECONDS = 0.1
_LOOK_SECONDS = 1.0


class Command(BaseCommand):
    """`manage.py up`."""

    help = "Serve Baton with all of its processes until Ctrl-C."
    # Checks and the migration test cost a second start; `up` does the latter itself.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--quiet", action="store_true", help="print problems only")
        parser.add_argument(
            "--simulation",
            action="store_true",  # manage.py reads it before the settings are
            help="serve what `manage.py simulate` left, not the real database",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until a signal; raises CommandError for what a person must put right."""
        self.began = time.monotonic()
        self.quiet = options["quiet"]
        self.is_ready = False
        self.asked_at = 0.0
        self.looked_at = self.began
        only_one = OnlyOne(settings.VAR)
        running = only_one.take(settings.URL)
        if running is not None:
            raise CommandError(
                f"Baton already runs on {settings.VAR}: process {running.pid}, {running.url}. "
                "Stop it with `make down`."
            )
        try:
            self._serve()
        finally:
            only_one.give_back()

    def _serve(self) -> None:
        _refuse_full_disk(settings.VAR)
        for name, port in (
            ("BATON_PORT", settings.PORT),
            ("BATON_SERVE_PORT", settings.SERVE_PORT),
        ):
            _refuse_used_port(name, settings.HOST, port)
        library = bundle.begin()  # beside the servers' start
        hold = _start_servers()
        try:
            if settings.SIMULATION:
                _refuse_missing_simulation()
            _migrate()
            if problem := bundle.finish(library):
                self._say(problem)
            logs = settings.VAR / "logs"
            logs.mkdir(exist_ok=True)
            Supervisor(processes.children(logs), say=self._say, each_turn=self._each_turn).run()
        finally:
            stopped = hold.release() if hold is not None else []
            self._say(" ".join(["Baton has stopped.", *(f"{n} too." for n in stopped)]))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _each_turn(self) -> None:
        """Between two looks at the processes: announce, and keep the servers alive."""
        self._look_if_ready()
        now = time.monotonic()
        if now - self.looked_at < _LOOK_SECONDS:
            return
        self.looked_at = now
        if embedded.running_configured():
            return
        try:
            embedded.ensure_configured()
        except embedded.EmbeddedError as problem:
            self._say(str(problem))
        else:
            self._say("An embedded server had ended; it was started again.")

    def _look_if_ready(self) -> None:
        """Print the address once /readyz answers."""
        now = time.monotonic()
        if self.is_ready or now - self.asked_at < _ASK_SECONDS:
            return
        self.asked_at = now
        self.is_ready = _answers_ready(settings.HOST, settings.PORT)
        if self.is_ready and not self.quiet:
            took = time.monotonic() - self.began
            what = "Baton's simulation" if settings.SIMULATION else "Baton"
            self._say(
                f"{what} serves at {settings.URL} (ready after {took:.1f} s; Ctrl-C stops it)"
            )


def _start_servers() -> embedded.Hold | None:
    try:
        return embedded.ensure_configured()
    except embedded.EmbeddedError as problem:
        raise CommandError(str(problem)) from problem


def _refuse_missing_simulation() -> None:
    try:
        if simulations.exists():
            return
    except simulations.SimulationError as problem:
        raise CommandError(str(problem)) from problem
    raise CommandError(f"There is no {simulations.name()} yet: make it with `manage.py simulate`.")


def _migrate() -> None:
    """Apply what is new; raises CommandError when the database does not answer."""
    try:
        executor = MigrationExecutor(connection)
        targets = executor.loader.graph.leaf_nodes()
        if executor.migration_plan(targets):
            call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as problem:
        raise CommandError(f"The database does not answer: {str(problem).strip()}") from problem
    finally:
        connection.close()


def _refuse_full_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < _LEAST_FREE_MB:
        raise CommandError(
            f"Only {free} MB are free on the disk that holds {folder}; Baton needs "
            f"{_LEAST_FREE_MB} MB. Make room, or set BATON_VAR to a folder elsewhere."
        )


def _refuse_used_port(setting: str, host: str, port: int) -> None:
    """Raises CommandError naming the process that listens there, if it can be found."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {port} is in use{_by_whom(port)}. Stop that process, or choose "
                    f"another port with {setting}."
                ) from problem
            raise CommandError(
                f"Cannot listen on {host}:{port} ({problem.strerror}): check BATON_HOST and "
                f"{setting}."
            ) from problem


def _by_whom(port: int) -> str:
    """Words for the process that listens on the port; empty when it may not be seen."""
    try:
        for found in psutil.net_connections("inet"):
            if found.status == psutil.CONN_LISTEN and found.laddr.port == port and found.pid:
                return f" by process {found.pid} ({psutil.Process(found.pid).name()})"
    except psutil.Error:
        return ""
    return ""


def _answers_ready(host: str, port: int) -> bool:
    """Whether /readyz answers 200 now; never waits long, as the supervisor's loop asks."""
    asked = http.client.HTTPConnection(
        "127.0.0.1" if host in {"0.0.0.0", ""} else host,  # noqa: S104 (compared, not bound)
        port,
        timeout=2,
    )
    try:
        asked.request("GET", "/readyz", headers={"Host": "localhost"})
        return asked.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()
