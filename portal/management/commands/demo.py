"""Play the use case as the seven people over the REST API, then go on serving."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from portal.demo import flights, script, stage
from portal.demo.cast import PASSWORD, PLAYERS
from portal.demo.desk import Desk, Refused
from portal.demo.finale import finale
from portal.demo.live import Screen, summary_table
from portal.demo.play import Play, Stalled
from portal.demo.traffic import Caller
from portal.supervisor import OnlyOne

READY_SECONDS = 120.0
WIDE = 140  # columns, where the output goes into a file


class Command(BaseCommand):
    """`manage.py demo`."""

    help = "Play the use case as the seven people, then serve (--exit stops after the play)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--exit", action="store_true", help="stop everything after the play")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve, play, print, and serve on. Raises CommandError for what a person can mend."""
        self.console = Console(soft_wrap=True) if sys.stdout.isatty() else Console(width=WIDE)
        self.leaving = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)
        with self._serving() as server:
            self._play()
            if options["exit"]:
                return
            self.console.print("Baton goes on serving; Ctrl-C stops it.", style="bold")
            while server.poll() is None and not self.leaving.wait(0.5):
                pass

    def _leave(self, *_: object) -> None:
        self.leaving.set()
        raise KeyboardInterrupt

    @contextmanager
    def _serving(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Run `up` beside us, and stop it in the end."""
        running = OnlyOne(settings.VAR).who()
        if running is not None:
            raise CommandError(
                f"Baton already runs on {settings.VAR}: process {running.pid}, {running.url}. "
                "Stop it with `make down`."
            )
        server = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "up", "--quiet"],
            env={**os.environ, "BATON_DEMO": "1"},
            start_new_session=True,
        )
        try:
            self._wait_until_ready(server)
            yield server
        except KeyboardInterrupt:
            self.console.print("Stopping …")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()

    def _wait_until_ready(self, server: "subprocess.Popen[bytes]") -> None:
        began = time.monotonic()
        while time.monotonic() - began < READY_SECONDS:
            if server.poll() is not None:
                raise CommandError("Baton did not start; the reason is above.")
            try:
                if httpx.get(f"{settings.URL}/readyz", timeout=2.0).is_success:
                    took = time.monotonic() - began
                    self.console.print(f"Baton serves at {settings.URL} after {took:.1f} s.")
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise CommandError(f"Baton was not ready within {READY_SECONDS:.0f} s; see var/logs.")

    def _play(self) -> None:
        self.console.print(stage.found())
        try:
            tokens = stage.prepare()
        except stage.NoDemoDatabase as problem:
            raise CommandError(str(problem)) from problem
        api = f"{settings.URL}/api/v1/"
        desks = {persona: Desk(api, token) for persona, token in tokens.items()}
        caller = Caller(
            url=settings.SERVE_URL,
            token=tokens["SWE"],
            model="",
            flights=flights.traffic(flights.KNOWN_UNTIL),
        )
        try:
            with Screen(self.console) as screen, tempfile.TemporaryDirectory() as folder:
                play = Play(desks, screen, caller)
                play.frame(Path(folder), title=script.TITLE)
                report = finale(play)
        except (Stalled, Refused, httpx.HTTPError) as problem:
            raise CommandError(f"The play stopped: {problem}") from problem
        finally:
            for desk in desks.values():
                desk.close()
            caller.close()
        self._tell(report)

    def _tell(self, report: dict[str, Any]) -> None:
        for title, rows in report["tables"]:
            self.console.print(summary_table(rows, title=title))
        for line in report["lines"]:
            self.console.print(line)
        self.console.print(f"\n[bold]{settings.URL}[/bold]  (password for all: {PASSWORD})")
        for player in PLAYERS:
            self.console.print(f"  {player.login:<8} {player.name:<14} {player.persona}")
        self.console.print(f"\n{report['waiting']}\n", style="bold")
