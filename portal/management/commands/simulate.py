"""Let a simulated team work: real actions, drawn people, a clock that does not wait."""

import gc
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from personas.models import Clock, Event
from pipelines.runs.models import Run
from pipelines.runs.queries.clock import now
from pipelines.simulation.cases import Cases
from pipelines.simulation.parameters import Parameters
from pipelines.simulation.world import World
from pipelines.usecases.models import UseCase
from portal import simulations

TELL_SECONDS: Final = 5.0
INTERRUPTED: Final = 130  # the exit status of what a Ctrl-C ended
MOST_DAYS: Final = 3650
MOST_USE_CASES: Final = 10_000


class Command(BaseCommand):
    """`manage.py simulate`."""

    help = (
        "Simulate a team of fourteen people in a database of its own, beside the real one; look at"
        " it with `manage.py up --simulation`."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--days", type=int, default=90, help="simulated days (90)")
        parser.add_argument("--use-cases", type=int, default=40, help="how many begin (40)")
        parser.add_argument("--seed", type=int, default=1, help="same seed, same history (1)")
        parser.add_argument("--fresh", action="store_true", help="remove the one there is first")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Simulate. Raises CommandError where there is a simulation already, or for bad numbers."""
        for option, most in (("days", MOST_DAYS), ("use_cases", MOST_USE_CASES)):
            if not 1 <= options[option] <= most:
                told = option.replace("_", "-")
                raise CommandError(f"--{told} must be 1 to {most}, got {options[option]}")
        try:
            self._make(fresh=options["fresh"])
        except simulations.SimulationError as problem:
            raise CommandError(str(problem)) from problem
        world = World(
            Parameters(),
            seed=options["seed"],
            days=options["days"],
            use_cases=options["use_cases"],
            tell=self._tell,
        )
        self._play(world)

    def _make(self, *, fresh: bool) -> None:
        """Make the database; what a simulation left is looked at, never overwritten unasked."""
        if simulations.exists():
            if not fresh:
                raise CommandError(
                    f"{self._found()} Look at it with `manage.py up --simulation`, or remove it and"
                    " begin anew with --fresh."
                )
            connection.close()
            simulations.remove()
        self._say(f"Making {simulations.name()} ...")
        simulations.make()

    def _found(self) -> str:
        """Return a sentence on what there is."""
        try:
            began = Clock.objects.exists()
            cases, runs, events = (
                UseCase.objects.count(),
                Run.objects.count(),
                Event.objects.count(),
            )
        except Exception as problem:
            return f"{simulations.name()} is there, but cannot be read ({problem})."
        if not began:
            return f"{simulations.name()} is there, and empty."
        return (
            f"{simulations.name()} has a simulation: {cases} use cases, {runs} runs, {events:,}"
            f" events, simulated time {now():%d %b %Y %H:%M}; its truth is in"
            f" {simulations.truth_file()}."
        )

    def _play(self, world: World) -> None:
        """Simulate to the end or to a Ctrl-C; either way what there is, is whole and told."""
        self.world, self.began, self.told_at = world, time.monotonic(), time.monotonic()
        gc.freeze()
        gc.set_threshold(50_000, 50, 50)  # commands leave thousands of small objects, none a cycle
        with connection.cursor() as cursor:
            # A crash of the server loses the last moments of a simulation, and nobody's work.
            cursor.execute("SET synchronous_commit = off")
        try:
            self._until_the_end(world)
        finally:
            seconds = time.monotonic() - self.began
            world.truth.seconds = round(seconds, 1)
            world.truth.events = Event.objects.count()
            world.truth.save(simulations.truth_file())
        self._summary(world, seconds)
        if not world.truth.complete:
            raise SystemExit(INTERRUPTED)

    def _until_the_end(self, world: World) -> None:
        try:
            Cases(world).prepare()
            world.play_on()
            world.truth.complete = True
        except KeyboardInterrupt:
            # What was under way was rolled back; machines still finish, as after the last day.
            self._say("Interrupted: everything up to here is whole, nothing after it happened.")
        world.wind_down()

    def _summary(self, world: World, seconds: float) -> None:
        states: dict[str, int] = {}
        for run in world.truth.runs:
            states[run.state] = states.get(run.state, 0) + 1
        told = ", ".join(f"{count} {state.lower()}" for state, count in sorted(states.items()))
        returns = sum(len(run.returns) for run in world.truth.runs)
        per_minute = world.truth.events / seconds * 60
        self._say(
            f"{len(world.truth.runs)} runs ({told}), {returns} returns until"
            f" {world.truth.reached:%d %b %Y %H:%M}."
        )
        self._say(f"{world.truth.events:,} events in {seconds:.1f} s: {per_minute:,.0f} a minute.")
        self._say(f"The truth is in {simulations.truth_file()}.")

    def _tell(self, at: datetime) -> None:
        moment = time.monotonic()
        if moment - self.told_at < TELL_SECONDS:
            return
        self.told_at = moment
        day = (at - self.world.begins).days + 1
        events = Event.objects.count()
        rate = events / (moment - self.began) * 60
        self._say(
            f"day {day} of {self.world.truth.days}, {len(self.world.truth.runs)} runs,"
            f" {events:,} events, {rate:,.0f} a minute"
        )

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
