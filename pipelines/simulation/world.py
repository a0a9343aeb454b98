"""The simulation's loop: advance the clock to what comes next, and let the real action happen."""

import random
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from personas import ledger
from personas.commands import Answer
from personas.errors import DomainError
from personas.ledger import Actor
from personas.models import User
from pipelines.lifecycles import RUN
from pipelines.runs.models import Run
from pipelines.runs.outbox import deliver
from pipelines.runs.sweeper import DUTIES, Sweeper
from pipelines.simulation import clock, rows
from pipelines.simulation.agenda import Agenda
from pipelines.simulation.draws import Draw, Draws
from pipelines.simulation.machine import Machine
from pipelines.simulation.parameters import Parameters, Spread
from pipelines.simulation.play import Play
from pipelines.simulation.team import Booking, Person, assemble
from pipelines.simulation.truth import AbsenceTruth, RunTruth, TaskTruth, Truth

ONE_HOUR: Final = timedelta(hours=1)
ONE_DAY: Final = timedelta(days=1)
STUCK_DAYS: Final = 7  # every so many days runs that seem stuck are asked again
SECOND: Final = timedelta(seconds=1)
# What a stage is in when its work has begun; the others are waited for, or were left before.
BEGUN: Final = ("ACTIVE", "IN_REVIEW", "DONE", "FAILED")
Tell = Callable[[datetime], None]


def _nobody(*_: object) -> None:
    """Nobody is there any more."""


class World:
    """Everything that a simulation knows.

    `answer` is called with each new piece of work, `on_end` with each run that has ended.
    """

    def __init__(
        self, parameters: Parameters, *, seed: int, days: int, use_cases: int, tell: Tell
    ) -> None:
        self.parameters, self.tell = parameters, tell
        self.draws, self.agenda = Draws(seed), Agenda()
        self.begins, self.now = parameters.begins, parameters.begins
        self.ends = self.begins + timedelta(days=days)
        team = assemble(self.draws, parameters.absences, begins=self.begins, days=days)
        self.people = {person.login: person for person in team}
        self.users: dict[str, User] = {}
        self.logins: dict[int, str] = {}
        self.plays: dict[int, Play] = {}
        self.truth = Truth(seed, days, use_cases, self.begins, self.begins)
        self.truth.absences = [
            AbsenceTruth(person.login, one.since, one.until, one.deputy)
            for person in team
            for one in person.absences
        ]
        self.machine = Machine(
            parameters.machine, self.draws, self.agenda, run_of=self._run_of, after=self.look_at
        )
        self.sweeper = Sweeper(poke=lambda _queue, _pk: True, stopping=threading.Event())
        self.timers: dict[str, datetime] = {}
        self.timers_known_until = self.begins
        self.answer: Callable[[Play, rows.Open, datetime], None]
        self.on_end: Callable[[Play, datetime], None]
        # The engine spreads its retries with it; nothing else of it is left to chance.
        random.seed(seed)

    def _run_of(self, run: int) -> RunTruth:
        return self.plays[run].truth

    # --- Time -------------------------------------------------------------------------------------

    def play_on(self) -> None:
        """Let everything happen that is booked before the end, in the order of time."""
        self.agenda.add(self.begins + ONE_DAY, self._daily)
        while (entry := self.agenda.next()) is not None and entry.at <= self.ends:
            if not self._sweep_before(entry.at):
                self.agenda.pop()
                self._happen(entry.at, entry.act)

    def wind_down(self) -> None:
        """People have gone home: machines finish, and nothing is left that only waits for one."""
        self.agenda.only_machines()
        self.answer, self.on_end = _nobody, _nobody
        while (entry := self.agenda.next()) is not None or self._retries():
            at = entry.at if entry else self.now + timedelta(minutes=10)
            if not self._sweep_before(at) and entry is not None:
                self.agenda.pop()
                self._happen(at, entry.act)
        last = max(self.now, self.ends) if self.truth.complete else self.now
        self._settle_day(last + SECOND)

    def _retries(self) -> bool:
        return Run.objects.filter(state="RUNNING", steps__state="RETRY_WAIT").exists()

    def _happen(self, at: datetime, act: Callable[[datetime], None]) -> None:
        self.now = self.truth.reached = at
        act(at)
        self.tell(at)

    def _sweep_before(self, at: datetime) -> bool:
        """Do what time decides before that moment, if anything; deadlines change by the hour."""
        if self.machine.risky or at >= self.timers_known_until:
            self.machine.risky = False
            self.timers = rows.timers(at + ONE_HOUR)
            self.timers_known_until = at + ONE_HOUR
        first = min(self.timers.values(), default=at)
        if first >= at:
            return False
        # What is due in this second is due when it is over: a lease must be over, not just end.
        end = first.replace(microsecond=0) + SECOND
        due = [duty for duty, moment in self.timers.items() if moment < end]
        self.machine.risky = True
        self._sweep(max(self.now, end), due)
        return True

    def _sweep(self, at: datetime, duties: Iterable[str]) -> None:
        """Let the engine's sweeper do these duties, and see which runs that moved."""
        duties = list(duties)
        self.now = self.truth.reached = at
        with clock.at(at):
            for duty in duties:
                self.sweeper.do(duty)
        self.tell(at)
        if duties == ["reminder"]:  # they are told, and nobody has more to do than before
            return
        moved = Run.objects.filter(moved_at=at).order_by("id").values_list("id", flat=True)
        for run in list(moved):
            self.look_at(run, at)

    def _daily(self, at: datetime) -> None:
        self._settle_day(at)
        self.agenda.add(at + ONE_DAY, self._daily)

    def _settle_day(self, at: datetime) -> None:
        """Once a day: all that the sweeper and the outbox have to do, and a seal."""
        self._sweep(at, DUTIES)
        with clock.at(at):
            if (at - self.begins).days % STUCK_DAYS == 0:
                self.sweeper.look_for_stuck()
            while deliver():
                pass
            ledger.seal()

    # --- People -----------------------------------------------------------------------------------

    def actor(self, login: str) -> Actor:
        """Return a person as the actor of a command."""
        return Actor.person(self.users[login])

    def do(self, at: datetime, act: Callable[[], Answer]) -> Answer | DomainError:
        """Let one command happen at that moment; its refusal is an answer, too."""
        with clock.at(at):
            try:
                return act()
            except DomainError as refusal:
                return refusal

    def choose(
        self, logins: list[str], at: datetime, draw: Draw, touch: Spread
    ) -> tuple[Booking, str]:
        """Book one of several people, the first who is there; returns also for whom a deputy acts.

        Where all are away, the first one's deputy does it, if that is done before they are back.
        """
        notice, length = draw.length(self.parameters.notice), draw.length(touch)
        here = next((one for one in logins if self.people[one].away_at(at) is None), None)
        if here is not None:
            return self._booked(self.people[here], at, notice, length), ""
        first = self.people[logins[0]]
        absence = first.away_at(at)
        if absence is not None and absence.deputy and absence.deputy not in logins:
            deputy = self.people[absence.deputy]
            plan = deputy.plan(at, notice, length)
            if plan.ends < absence.until:
                deputy.take(plan)
                return plan, first.login
        return self._booked(first, at, notice, length), ""

    def _booked(
        self, person: Person, at: datetime, notice: timedelta, length: timedelta
    ) -> Booking:
        plan = person.plan(at, notice, length)
        person.take(plan)
        return plan

    def later(
        self, play: Play, task: TaskTruth, at: datetime, act: Callable[[datetime], None]
    ) -> None:
        """Book an act of a task: put off while the run is paused, void when it is over."""

        def turn(now: datetime) -> None:
            if task.outcome:
                return
            if play.ended and task.noun != "finding":
                task.outcome = "void"
            elif play.paused_until is not None and now < play.paused_until:
                self.agenda.add(play.paused_until + SECOND, turn)
            else:
                act(now)
                self.look_at(play.run, now)

        self.agenda.add(at, turn)

    # --- Looking ----------------------------------------------------------------------------------

    def look_at(self, run: int, at: datetime) -> None:
        """See what has become of a run, and let people plan what they now have to do."""
        play = self.plays.get(run)
        if play is None:
            return
        for row in rows.open_in(run):
            if row.noun == "run":
                self._see_state(play, row.kind, at)
            elif row.noun == "queued":
                self.machine.queued[run] = row.id
            elif row.noun == "stage":
                self._see_stage(play, row, at)
            elif (row.noun, row.id) not in play.known:
                play.known.add((row.noun, row.id))
                self.answer(play, row, at)
        self.machine.claim(at)

    def _see_state(self, play: Play, state: str, at: datetime) -> None:
        play.truth.state = state
        if state in RUN.terminal and not play.ended:
            play.ended, play.truth.done = True, at
            self.on_end(play, at)

    def _see_stage(self, play: Play, row: rows.Open, at: datetime) -> None:
        if row.kind in BEGUN and (row.noun, row.id) not in play.known:
            play.known.add((row.noun, row.id))
            play.truth.rounds[row.stage] = play.truth.rounds.get(row.stage, 0) + 1
        if row.kind == "ACTIVE" and row.holder is None and ("free", row.id) not in play.known:
            play.known.add(("free", row.id))
            self.answer(play, row, at)
