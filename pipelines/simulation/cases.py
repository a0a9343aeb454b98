"""Use cases and runs as a whole: they begin, are paused, cancelled, and begin again."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.contrib.auth.hashers import make_password

from personas.actions import create_user, sync_personas
from personas.ledger import ENGINE
from personas.models import User
from pipelines.blueprints.spec import Blueprint
from pipelines.runs.actions import runs
from pipelines.runs.models import Run
from pipelines.runs.rows import blueprint_of
from pipelines.simulation import blueprint, clock
from pipelines.simulation.play import Play
from pipelines.simulation.questions import asked
from pipelines.simulation.reviews import Reviews
from pipelines.simulation.rows import Open
from pipelines.simulation.team import PASSWORD, PLAYERS, Absence, peer
from pipelines.simulation.truth import RunTruth
from pipelines.simulation.work import REASON, Work, going
from pipelines.simulation.world import World
from pipelines.usecases.actions import (
    Wish,
    create_use_case,
    delegate,
    give_seat,
    publish_blueprint,
)
from pipelines.usecases.models import BlueprintVersion, UseCase

FIRST: Final = tuple(player for player in PLAYERS if player.login < peer(player))
BEFORE: Final = timedelta(hours=12)  # an absence is noted so long before
SHARE: Final = timedelta(minutes=1)


class Cases:
    """All use cases of one simulation."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.given = world.parameters.runs
        self.work, self.reviews = Work(world), Reviews(world)
        self.version: BlueprintVersion
        self.plan: Blueprint
        world.answer, world.on_end = self.answer, self.on_end

    # --- Before the first day ---------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the people and the blueprint, and book when each use case begins."""
        world = self.world
        clock.make()
        password = make_password(PASSWORD)  # slow on purpose, so once for all of them
        with clock.at(world.begins):
            sync_personas()
            for player in PLAYERS:
                create_user(
                    actor=ENGINE,
                    username=player.login,
                    name=player.name,
                    personas=[player.persona],
                    capabilities=player.capabilities,
                )
                user = User.objects.get(username=player.login)
                user.time_zone, user.password = player.zone, password
                user.save(update_fields=["time_zone", "password"])
                world.users[player.login], world.logins[user.pk] = user, player.login
            answer = publish_blueprint(actor=ENGINE, source=blueprint.simulated())
        self.version = BlueprintVersion.objects.select_related("blueprint").get(
            pk=answer.data["version"]
        )
        for person in world.people.values():
            for absence in person.absences:
                at = max(world.begins + SHARE, absence.since - BEFORE)
                world.agenda.add(at, partial(self._away, person.login, absence))
        for number in range(world.truth.use_cases):
            world.agenda.add(self._start_of(number), partial(self._frame, number))

    def _start_of(self, number: int) -> datetime:
        """Spread evenly, and shaken: neither all at once nor in step."""
        world = self.world
        share = (number + world.draws.about("start", number).share()) / world.truth.use_cases
        seconds = (world.ends - world.begins).total_seconds() * self.given.start_share * share
        return world.begins + timedelta(hours=2, seconds=round(seconds))

    def _away(self, login: str, absence: Absence, at: datetime) -> None:
        world, deputy = self.world, absence.deputy
        wish = Wish(
            giver=world.users[login],
            since=absence.since,
            until=absence.until,
            deputy=world.users[deputy] if deputy else None,
            persona=world.people[login].player.persona if deputy else None,
            reason=REASON,
        )
        world.do(at, lambda: delegate(actor=world.actor(login), wish=wish))

    # --- Use cases --------------------------------------------------------------------------------

    def _frame(self, number: int, at: datetime) -> None:
        """One of the analysts frames a use case, seats the others, and starts its first run."""
        world = self.world
        seats = self._seats(number)
        actor = world.actor(seats["BA"][0])
        title, question = asked(number)
        with clock.at(at):
            made = create_use_case(
                actor=actor,
                title=title,
                question=question,
                key=f"case-{number + 1:03}",
                blueprint=self.version.blueprint.key,
            )
            use_case = UseCase.objects.get(pk=made.data["use_case"])
            for persona, logins in seats.items():
                for login in logins:
                    if login != seats["BA"][0]:
                        user = world.users[login]
                        give_seat(actor=actor, use_case=use_case, user=user, persona=persona)
        self._start(use_case, seats, 1, at)

    def _seats(self, number: int) -> dict[str, list[str]]:
        draw = self.world.draws.about("seats", number)
        seats: dict[str, list[str]] = {}
        for player in FIRST:
            pair = [player.login, peer(player)]
            lead = pair.pop(draw.whole((0, 1)))
            seats[player.persona] = [lead, *(pair if draw.chance(self.given.second_seat) else [])]
        return seats

    def _start(
        self, use_case: UseCase, seats: dict[str, list[str]], number: int, at: datetime
    ) -> None:
        world = self.world
        draw = world.draws.about("run", use_case.key, number)
        actor = world.actor(seats["BA"][0])
        with clock.at(at):
            made = runs.create(
                actor=actor,
                use_case=use_case,
                version=self.version,
                seed=draw.whole((1, 2**31)),
            )
            run = Run.objects.select_related("version__blueprint").get(pk=made.data["run"])
        truth = RunTruth(use_case.key, number, run.pk, begun=at)
        world.truth.runs.append(truth)
        play = Play(use_case, truth, blueprint_of(run), seats, world.draws)
        world.plays[run.pk] = play
        if draw.chance(self.given.pause):
            moment = at + timedelta(hours=draw.whole((24, 600)))
            days = draw.whole(self.given.pause_days)
            world.agenda.add(moment, partial(self._pause, play, days))
        if draw.chance(self.given.cancel):
            moment = at + timedelta(hours=draw.whole((24, 800)))
            world.agenda.add(moment, partial(self._cancel, play))
        world.look_at(run.pk, at)

    # --- Runs -------------------------------------------------------------------------------------

    def _pause(self, play: Play, days: int, at: datetime) -> None:
        world, run = self.world, Run.objects.get(pk=play.run)
        if run.state != "RUNNING":
            return
        world.do(at, lambda: runs.pause(actor=world.actor("priya"), run=run, reason=REASON))
        play.paused_until = at + timedelta(days=days)
        play.truth.pauses.append((at, None))
        world.agenda.add(play.paused_until, partial(self._resume, play))
        world.look_at(play.run, at)

    def _resume(self, play: Play, at: datetime) -> None:
        world, run = self.world, Run.objects.get(pk=play.run)
        play.paused_until = None
        if run.state != "PAUSED":
            return
        world.do(at, lambda: runs.resume(actor=world.actor("priya"), run=run))
        play.truth.pauses[-1] = (play.truth.pauses[-1][0], at)
        world.machine.risky = True
        world.look_at(play.run, at)

    def _cancel(self, play: Play, at: datetime) -> None:
        world, run = self.world, Run.objects.get(pk=play.run)
        if not going(run.state):
            return
        actor = world.actor(play.seats["BA"][0])
        world.do(at, lambda: runs.cancel(actor=actor, run=run, reason=REASON))
        world.machine.stop(play.run, at)
        world.look_at(play.run, at)

    def on_end(self, play: Play, at: datetime) -> None:
        """After a success the next run may follow, when the model has grown old."""
        draw = play.about("retrain")
        if play.truth.state != "SUCCEEDED" or not draw.chance(self.given.retrain):
            return
        again = at + draw.length(self.given.retrain_after)
        number = play.truth.number + 1
        self.world.agenda.add(again, partial(self._start, play.use_case, play.seats, number))

    # --- What is new in a run ---------------------------------------------------------------------

    def answer(self, play: Play, row: Open, at: datetime) -> None:
        """Let the people concerned plan what a new piece of work asks of them."""
        if row.noun == "item":
            {"attention": self.work.attention, "help": self.work.help}.get(
                row.kind, self.work.item
            )(play, row, at)
        elif row.noun == "stage":
            self.work.stage(play, row, at)
        elif row.noun == "gate":
            self.reviews.gate(play, row, at)
        elif row.noun == "hand_off":
            self.reviews.hand_off(play, row, at)
        else:
            self.reviews.finding(play, row, at)
