"""What simulated people do about gates, hand-offs and findings."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from personas.commands import Answer
from personas.errors import Conflict, DomainError
from pipelines.lifecycles import Verdict
from pipelines.runs.actions import findings, gates, handoffs
from pipelines.runs.models import Decision, Finding, Gate, HandOff
from pipelines.runs.reading import one
from pipelines.simulation.draws import Draw
from pipelines.simulation.play import Play
from pipelines.simulation.rows import Open
from pipelines.simulation.truth import TaskTruth
from pipelines.simulation.work import REASON, close
from pipelines.simulation.world import World
from pipelines.usecases.actions import give_seat

# What people decide when the engine refuses what they were drawn to decide.
INSTEAD: Final = {
    "max_rounds": str(Verdict.APPROVE),
    "check_red": str(Verdict.REQUEST_CHANGES),
}
SENT_BACK: Final = ("CHANGES_REQUESTED", "REJECTED")


class Reviews:
    """People who decide, accept, return, and resolve."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.verdicts, self.hand_offs = world.parameters.verdicts, world.parameters.hand_offs

    # --- Gates ------------------------------------------------------------------------------------

    def gate(self, play: Play, row: Open, at: datetime) -> None:
        """Of every persona that the rules ask, as many people as they ask decide."""
        gate = one(Gate, row.id)
        decided = self._decided(gate)
        for rule in gate.policy["rules"]:
            made = sum(rule["persona"] in personas for personas in decided)
            for place in range(made, rule["min"]):
                self._decider(play, row, gate, rule["persona"], at, place)

    def _decided(self, gate: Gate) -> list[list[str]]:
        """Return the personas of the decisions that were carried over."""
        rows = Decision.objects.filter(gate=gate, state="IN_FORCE")
        return list(rows.values_list("personas", flat=True))

    def _decider(
        self, play: Play, row: Open, gate: Gate, persona: str, at: datetime, place: int
    ) -> None:
        draw = play.about("gate", row.stage, row.round, persona, place)
        people = self._eligible(play, gate, persona)
        task = play.task(row, "decision", persona, at, persona)
        people = people[place:] or self._seat_another(play, persona, at)
        if not people:
            task.outcome, task.code = "void", "nobody"
            return
        verdict = self._verdict(draw, row, others=len(people) > 1)
        self._book(play, row, task, people, at, draw, verdict)

    def _eligible(self, play: Play, gate: Gate, persona: str) -> list[str]:
        users = self.world.users
        return [one for one in play.seats[persona] if users[one].pk not in gate.author_ids]

    def _seat_another(self, play: Play, persona: str, at: datetime) -> list[str]:
        """Nobody independent has a seat: who framed the use case seats another, if there is one."""
        others = [
            login
            for login, person in self.world.people.items()
            if person.player.persona == persona and login not in play.seats[persona]
        ]
        actor, use_case = self.world.actor(play.seats["BA"][0]), play.use_case
        for login in others:
            user = self.world.users[login]
            seat = partial(give_seat, actor=actor, use_case=use_case, user=user, persona=persona)
            self.world.do(at, seat)
            play.seats[persona].append(login)
        return others

    def _verdict(self, draw: Draw, row: Open, *, others: bool) -> str:
        share, given = draw.share(), self.verdicts
        changes = given.request_changes / 2 ** (row.round - 1)
        reject = given.reject if row.round == 1 else 0.0
        chances = {
            Verdict.REQUEST_CHANGES: changes,
            Verdict.REJECT: reject,
            Verdict.ABSTAIN: given.abstain if others else 0.0,
            Verdict.APPROVE_WITH_CONDITIONS: given.conditions,
        }
        for verdict, chance in chances.items():
            if share < chance:
                return str(verdict)
            share -= chance
        return str(Verdict.APPROVE)

    def _book(
        self,
        play: Play,
        row: Open,
        task: TaskTruth,
        people: list[str],
        at: datetime,
        draw: Draw,
        verdict: str,
    ) -> None:
        world = self.world
        booking, giver = world.choose(people, at, draw, world.parameters.decide)
        task.by, task.on_behalf_of = booking.login, giver
        task.begun, task.touch = booking.begins, booking.touch

        def decide(now: datetime) -> None:
            done = self._decide(play, row, task, now, draw, verdict)
            if verdict == Verdict.ABSTAIN and task.outcome == "abstain":
                others = [one for one in people if one not in (booking.login, giver)]
                again = play.task(row, "decision", task.persona, now, task.persona)
                self._book(play, row, again, others, now, draw, str(Verdict.APPROVE))
            elif isinstance(done, DomainError):
                close(task, now, done)

        world.later(play, task, booking.ends, decide)

    def _decide(
        self, play: Play, row: Open, task: TaskTruth, at: datetime, draw: Draw, verdict: str
    ) -> Answer | DomainError:
        gate = one(Gate, row.id)
        said = self._said(play, row, gate, draw, verdict)
        done = self._take(gate, task, at, verdict, said)
        if isinstance(done, Conflict) and done.code in INSTEAD:
            verdict = INSTEAD[done.code]
            said = self._said(play, row, gate, draw, verdict)
            done = self._take(gate, task, at, verdict, said)
        if isinstance(done, DomainError):
            return done
        task.outcome, task.done = verdict, at
        task.code, task.target = said.get("reason_code", ""), said.get("target", "")
        if done.data["state"] in SENT_BACK and self._opened_a_round(gate, done):
            target = task.target or gate.policy["send_back_to"][0]
            play.returned(at, "gate", row.stage, target, task.code)
        return done

    def _opened_a_round(self, gate: Gate, done: Answer) -> bool:
        return bool(
            done.data["state"] == "CHANGES_REQUESTED" or gate.policy["on_reject"] == "send_back"
        )

    def _take(
        self, gate: Gate, task: TaskTruth, at: datetime, verdict: str, said: dict[str, Any]
    ) -> Answer | DomainError:
        actor = self.world.actor(task.by)
        giver = self.world.users[task.on_behalf_of] if task.on_behalf_of else None
        seen = gate.subject_digest
        return self.world.do(
            at,
            lambda: gates.decide(
                actor=actor, gate=gate, verdict=verdict, seen=seen, on_behalf_of=giver, **said
            ),
        )

    def _said(self, play: Play, row: Open, gate: Gate, draw: Draw, verdict: str) -> dict[str, Any]:
        """Return reason, code, target or conditions, as the verdict asks for them."""
        if verdict == Verdict.REQUEST_CHANGES:
            targets = gate.policy["send_back_to"]
            own = row.stage if row.stage in targets else targets[0]
            others = [one for one in targets if one != own]
            away = bool(others) and draw.chance(self.verdicts.elsewhere)
            code = draw.pick(self.world.parameters.codes[row.stage])
            target = draw.pick(others) if away else own
            return {"reason": REASON, "reason_code": code, "target": target}
        if verdict == Verdict.REJECT:
            return {"reason": REASON, "reason_code": "value"}
        if verdict == Verdict.APPROVE_WITH_CONDITIONS:
            days = draw.whole(self.verdicts.finding_days)
            return {"conditions": [{"text": REASON, "persona": row.persona, "days": days}]}
        return {}

    # --- Findings ---------------------------------------------------------------------------------

    def finding(self, play: Play, row: Open, at: datetime) -> None:
        """Whose finding it is resolves it in time, or forgets it until it is too late."""
        world, finding = self.world, Finding.objects.get(pk=row.id)
        draw = play.about("finding", row.stage, row.round, row.key, len(play.truth.tasks))
        task = play.task(row, "finding", row.persona, at)
        time = finding.due_at - at
        late = draw.chance(self.verdicts.finding_late)
        turn = finding.due_at + timedelta(days=1) if late else at + time * 0.5 * draw.share()
        world.later(
            play,
            task,
            turn.replace(microsecond=0),
            lambda now: self._turn_to(play, row, task, draw, now),
        )

    def _turn_to(self, play: Play, row: Open, task: TaskTruth, draw: Draw, at: datetime) -> None:
        """Now the person thinks of the finding: nobody's time is booked before that."""
        world = self.world
        people = play.seats[row.persona]
        booking, giver = world.choose(people, at, draw, world.parameters.resolve)
        task.by, task.on_behalf_of = booking.login, giver
        task.begun, task.touch = booking.begins, booking.touch

        def resolve(now: datetime) -> None:
            actor = world.actor(booking.login)
            fresh = Finding.objects.select_related("run").get(pk=row.id)
            act = lambda: findings.resolve(actor=actor, finding=fresh, evidence=REASON)  # noqa: E731
            close(task, now, world.do(now, act))

        world.later(play, task, booking.ends, resolve)

    # --- Hand-offs --------------------------------------------------------------------------------

    def hand_off(self, play: Play, row: Open, at: datetime) -> None:
        """The receiver accepts, or returns it with a reason; seldom its sender is quicker."""
        world, given = self.world, self.hand_offs
        draw = play.about("hand_off", row.stage, row.round, row.key)
        task = play.task(row, "hand_off", row.persona, at)
        booking, giver = world.choose(play.seats[row.persona], at, draw, world.parameters.accept)
        task.by, task.on_behalf_of = booking.login, giver
        task.begun, task.touch = booking.begins, booking.touch
        returned = draw.chance(given.returned / 2 ** (row.round - 1))
        code = draw.pick((*world.parameters.codes[row.stage], "not_understood"))
        if draw.chance(given.withdrawn) and row.round == 1:
            sooner = (at + (booking.ends - at) / 2).replace(microsecond=0)
            world.later(play, task, sooner, lambda now: self._withdraw(play, row, task, now))
        world.later(
            play,
            task,
            booking.ends,
            lambda now: self._answer(play, row, task, now, code if returned else ""),
        )

    def _answer(self, play: Play, row: Open, task: TaskTruth, at: datetime, code: str) -> None:
        hand_off = HandOff.objects.select_related("source", "target").get(pk=row.id)
        actor, do = self.world.actor(task.by), self.world.do
        if code:
            done = do(
                at,
                lambda: handoffs.return_(
                    actor=actor, hand_off=hand_off, reason=REASON, reason_code=code
                ),
            )
            if not (isinstance(done, Conflict) and done.code == "max_rounds"):
                self._ended(play, row, task, at, done, code)
                return
        close(task, at, do(at, lambda: handoffs.accept(actor=actor, hand_off=hand_off)))
        task.outcome = "accepted" if task.outcome == "done" else task.outcome

    def _ended(
        self,
        play: Play,
        row: Open,
        task: TaskTruth,
        at: datetime,
        done: Answer | DomainError,
        code: str,
    ) -> None:
        close(task, at, done)
        if task.outcome == "done":
            task.outcome, task.code = ("returned", code) if code else ("withdrawn", "other")
            kind = "hand_off" if code else "withdrawal"
            play.returned(at, kind, row.key, row.stage, code or "other")

    def _withdraw(self, play: Play, row: Open, task: TaskTruth, at: datetime) -> None:
        hand_off = HandOff.objects.select_related("source", "target").get(pk=row.id)
        sender = self.world.logins.get(row.holder or 0)
        if sender is None:
            return
        actor = self.world.actor(sender)
        done = self.world.do(
            at, lambda: handoffs.withdraw(actor=actor, hand_off=hand_off, reason=REASON)
        )
        if not isinstance(done, DomainError):
            self._ended(play, row, task, at, done, "")
