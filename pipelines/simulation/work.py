"""What simulated people do about stages, forms, requests for help, and what needs attention."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from personas.commands import Answer
from personas.errors import DomainError
from pipelines.blueprints.graph import hand_off_def
from pipelines.lifecycles import RunState
from pipelines.runs import helping
from pipelines.runs.actions import gates, handoffs, help, item_moves, items, runs, stages, steps
from pipelines.runs.gaps import checklist
from pipelines.runs.models import Gate, HandOff, Run, Stage, Step, WorkItem
from pipelines.runs.reading import one
from pipelines.simulation.draws import Draw
from pipelines.simulation.forms import filled
from pipelines.simulation.play import Play
from pipelines.simulation.rows import Open
from pipelines.simulation.truth import TaskTruth
from pipelines.simulation.world import World

REASON: Final = "Drawn by the simulation."
# Whom a stage's owner asks for help: never a persona that decides on the stage afterwards, since
# who helped has made part of it.
HELPERS: Final = {
    "frame": "DE",
    "source": "BA",
    "explore": "DE",
    "features": "DS",
    "evaluate": "MLE",
    "operationalise": "MLE",
    "register": "SWE",
    "deploy": "MLE",
    "serve": "OPS",
    "monitor": "MLE",
}


def item_of(row: Open) -> WorkItem:
    """Return the work item as it is now."""
    return one(WorkItem, row.id)


class Work:
    """People at work on the stages they own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.given = world.parameters.items

    def _people(self, play: Play, row: Open) -> list[str]:
        seated = play.seats[row.persona]
        login = self.world.logins.get(row.holder or 0)
        return [login] if login in seated else seated

    # --- Stages -----------------------------------------------------------------------------------

    def stage(self, play: Play, row: Open, at: datetime) -> None:
        """Somebody of its persona takes a stage that nobody owns."""
        world, task = self.world, play.task(row, "stage", row.persona, at, "take")
        draw = play.about("take", row.stage, row.round)
        booking, _ = world.choose(play.seats[row.persona], at, draw, world.parameters.attend)
        task.by, task.begun, task.touch = booking.login, booking.begins, booking.touch

        def take(now: datetime) -> None:
            stage = one(Stage, row.id)
            actor = world.actor(booking.login)
            done = world.do(now, lambda: stages.take(actor=actor, stage=stage))
            close(task, now, done)

        world.later(play, task, booking.ends, take)

    # --- Forms and statements ---------------------------------------------------------------------

    def item(self, play: Play, row: Open, at: datetime) -> None:
        """Somebody claims a form, works on it, and completes it; or puts it aside, or passes it."""
        world = self.world
        draw = play.about("item", row.stage, row.round, row.key)
        touch = world.parameters.item[row.stage]
        task = play.task(row, "item", row.persona, at)
        booking, giver = world.choose(self._people(play, row), at, draw, touch)
        task.by, task.on_behalf_of = booking.login, giver
        task.touch = booking.touch
        hold, second = draw.chance(self.given.hold), self._second(play, row, booking.login, draw)
        world.later(play, task, booking.begins, lambda now: self._begin(play, task, row, now))
        if hold and not giver:
            days = draw.whole(self.given.hold_days)
            world.later(
                play, task, booking.begins, lambda now: self._hold(play, task, row, now, days)
            )
        elif second and not giver:
            world.later(
                play, task, booking.begins, lambda now: self._pass_on(play, task, row, now, second)
            )
        else:
            middle = booking.begins + (booking.ends - booking.begins) / 2
            if draw.chance(self.given.draft):
                middle = middle.replace(microsecond=0)
                world.later(play, task, middle, lambda now: self._draft(play, task, row, now))
            world.later(play, task, booking.ends, lambda now: self._complete(play, task, row, now))
        if draw.chance(self.given.help) and not giver:
            world.later(play, task, booking.begins, lambda now: self._ask(play, task, row, now))

    def _second(self, play: Play, row: Open, login: str, draw: Draw) -> str:
        others = [one for one in play.seats[row.persona] if one != login]
        return others[0] if draw.chance(self.given.delegate) and others else ""

    def _begin(self, play: Play, task: TaskTruth, row: Open, at: datetime) -> None:
        task.begun = at
        actor, item = self.world.actor(task.by), item_of(row)
        act = items.claim if item.holder_id is None else item_moves.start
        self.world.do(at, lambda: act(actor=actor, item=item))

    def _draft(self, play: Play, task: TaskTruth, row: Open, at: datetime) -> None:
        actor, item = self.world.actor(task.by), item_of(row)
        data = self._data(play, row, item)
        self.world.do(
            at,
            lambda: items.save_draft(actor=actor, item=item, data=data, version=item.version),
        )

    def _data(self, play: Play, row: Open, item: WorkItem) -> dict[str, Any]:
        asked = item.kind == helping.HELP
        fields = helping.FIELDS if asked else play.blueprint.stage(row.stage).item(row.key).fields
        return filled(fields, f"{play.use_case.title}, round {row.round}.")

    def _complete(self, play: Play, task: TaskTruth, row: Open, at: datetime) -> None:
        actor, item = self.world.actor(task.by), item_of(row)
        data = self._data(play, row, item)
        done = self.world.do(
            at, lambda: items.complete(actor=actor, item=item, data=data, version=item.version)
        )
        close(task, at, done)

    def _hold(self, play: Play, task: TaskTruth, row: Open, at: datetime, days: int) -> None:
        """Put aside until a day; the sweeper takes it back, and the person then goes on."""
        actor, item = self.world.actor(task.by), item_of(row)
        day = at.date() + timedelta(days=days)
        self.world.do(
            at, lambda: item_moves.hold(actor=actor, item=item, follow_up=day, reason=REASON)
        )
        self.world.machine.risky = True
        again = (at + timedelta(days=days + 1)).replace(hour=0, minute=0, second=0)
        self.world.later(play, task, again, lambda now: self._again(play, task, row, now))

    def _pass_on(self, play: Play, task: TaskTruth, row: Open, at: datetime, second: str) -> None:
        """Delegate: the other one does it, who held it stays accountable."""
        actor, item = self.world.actor(task.by), item_of(row)
        to = self.world.users[second]
        self.world.do(at, lambda: item_moves.delegate(actor=actor, item=item, to=to, reason=REASON))
        task.by = second
        self._again(play, task, row, at)

    def _again(self, play: Play, task: TaskTruth, row: Open, at: datetime) -> None:
        draw = play.about("again", row.stage, row.round, row.key)
        booking, _ = self.world.choose([task.by], at, draw, self.world.parameters.item[row.stage])
        task.touch = booking.touch
        self.world.later(play, task, booking.ends, lambda now: self._complete(play, task, row, now))

    # --- Help -------------------------------------------------------------------------------------

    def _ask(self, play: Play, task: TaskTruth, row: Open, at: datetime) -> None:
        actor, stage = self.world.actor(task.by), item_of(row).stage
        persona = HELPERS[row.stage]
        self.world.do(
            at,
            lambda: help.ask(
                actor=actor, stage=stage, persona=persona, question=REASON, code="other"
            ),
        )

    def help(self, play: Play, row: Open, at: datetime) -> None:
        """Somebody of the persona that was asked claims the request, and answers it."""
        world = self.world
        draw = play.about("help", row.stage, row.round, row.key)
        task = play.task(row, "help", row.persona, at)
        asker = world.logins.get(item_of(row).asked_by_id or 0)
        people = [one for one in play.seats[row.persona] if one != asker]
        booking, giver = world.choose(people, at, draw, self.given.help_work)
        task.by, task.on_behalf_of, task.touch = booking.login, giver, booking.touch
        world.later(play, task, booking.begins, lambda now: self._begin(play, task, row, now))
        world.later(play, task, booking.ends, lambda now: self._complete(play, task, row, now))

    # --- What needs attention ---------------------------------------------------------------------

    def attention(self, play: Play, row: Open, at: datetime) -> None:
        """Whoever owns the stage acts on the cause."""
        act = {
            "offer": self._offer,
            "step_failed": self._retry,
            "contract_failed": self._retry,
            "contract_red": self._rerun_contract,
            "finding_lapsed": self._rerun,
            "gate_expired": self._reopen,
        }.get(row.key)
        if act is None:
            return
        world, noun = self.world, "offer" if row.key == "offer" else "attention"
        draw = play.about(noun, row.stage, row.round, row.key, len(play.truth.tasks))
        touch = world.parameters.offer if noun == "offer" else world.parameters.attend
        task = play.task(row, noun, row.persona, at)
        booking, giver = world.choose(self._people(play, row), at, draw, touch)
        task.by, task.on_behalf_of, task.touch = booking.login, giver, booking.touch
        task.begun = booking.begins
        world.later(play, task, booking.ends, partial(self._attend, play, task, row, act, draw))

    def _attend(
        self, play: Play, task: TaskTruth, row: Open, act: Any, draw: Draw, at: datetime
    ) -> None:
        item = item_of(row)
        if item.closed_at is not None:
            task.outcome = "void"
            return
        close(task, at, self.world.do(at, lambda: act(play, task, item, at, draw)))

    def _offer(
        self, play: Play, task: TaskTruth, item: WorkItem, at: datetime, _draw: Draw
    ) -> Answer:
        hand_off = HandOff.objects.select_related("source").get(pk=item.context["hand_off"])
        asked = checklist(hand_off_def(play.blueprint, hand_off.source.key), hand_off.gap)
        # A walk-through is stated with its day and who took part.
        said = f"{at:%Y-%m-%d}: done, by {task.by} and who takes it over"
        answers = {entry.key: said for entry in asked if entry.value is None}
        actor = self.world.actor(task.by)
        return handoffs.offer(actor=actor, hand_off=hand_off, answers=answers)

    def _retry(
        self, play: Play, task: TaskTruth, item: WorkItem, _at: datetime, draw: Draw
    ) -> Answer:
        if draw.chance(self.world.parameters.runs.give_up):
            run = Run.objects.get(pk=play.run)
            manager = self.world.actor("priya")
            task.code = "gave_up"
            return runs.give_up(actor=manager, run=run, reason=REASON)
        step = Step.objects.get(pk=item.context["step"])
        return steps.retry(actor=self.world.actor(task.by), step=step)

    def _rerun_contract(
        self, _play: Play, task: TaskTruth, item: WorkItem, _at: datetime, _draw: Draw
    ) -> Answer:
        hand_off = HandOff.objects.get(pk=item.context["hand_off"])
        return handoffs.rerun_contract(actor=self.world.actor(task.by), hand_off=hand_off)

    def _rerun(
        self, play: Play, task: TaskTruth, item: WorkItem, at: datetime, _draw: Draw
    ) -> Answer:
        actor = self.world.actor(task.by)
        done = stages.rerun(actor=actor, stage=item.stage, reason=REASON)
        play.returned(at, "rerun", item.stage.key, item.stage.key, "rerun")
        return done

    def _reopen(
        self, _play: Play, task: TaskTruth, item: WorkItem, _at: datetime, _draw: Draw
    ) -> Answer:
        gate = Gate.objects.select_related("stage").get(pk=item.context["gate"])
        return gates.reopen(actor=self.world.actor(task.by), gate=gate, reason=REASON)


def close(task: TaskTruth, at: datetime, done: Answer | DomainError) -> None:
    """Write down how a task ended: done, or refused because others were first or time was over."""
    if isinstance(done, DomainError):
        task.outcome, task.code = "void", done.code
    else:
        task.outcome, task.done = "done", at


def going(state: str) -> bool:
    """Whether a run may still be managed."""
    return state in (RunState.RUNNING, RunState.PAUSED)
