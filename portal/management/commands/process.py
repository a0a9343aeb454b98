"""Become one process of Baton, for containers and service managers that supervise themselves."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal import bundle, processes


class Command(BaseCommand):
    """`manage.py process NAME`."""

    help = "Become one of Baton's processes (web, serve, engine, worker)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the argument."""
        parser.add_argument("name", choices=sorted(processes.COMMANDS))

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace this process, so that signals reach the right one."""
        if options["name"] == "web" and (problem := bundle.finish(bundle.begin())):
            self.stderr.write(problem)
        command = processes.COMMANDS[options["name"]]()
        os.environ.update(processes.ENVIRONMENT)
        os.execv(command[0], command)  # noqa: S606 (a fixed table of commands)
