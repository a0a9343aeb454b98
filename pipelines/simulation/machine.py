"""Simulated workers: they claim and settle as workers do; only how long it takes is drawn."""

import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from personas.ledger import canonical
from pipelines import catalogue
from pipelines.artefacts.actions import storage
from pipelines.operations.contract import Context, Outcome, clean_params
from pipelines.runs import claims
from pipelines.runs.actions import attempts
from pipelines.runs.actions.settling import Fenced
from pipelines.runs.claims import Claim
from pipelines.simulation import blueprint, clock, rows
from pipelines.simulation.agenda import Agenda
from pipelines.simulation.draws import Draw, Draws
from pipelines.simulation.parameters import Machine as MachineParameters
from pipelines.simulation.truth import AttemptTruth, RunTruth

OWNER: Final = UUID("00000000-0000-4000-8000-000000000001")
WORKER: Final = "simulated"
SLACK: Final = timedelta(hours=1)
STOPPING: Final = timedelta(seconds=10)  # until a cancelled child is seen to be one
ERRORS: Final = {
    "failed": {"code": "simulated", "message": "Drawn: it may work the next time.", "retryable": 1},
    "broken": {"code": "simulated", "message": "Drawn: somebody has to look.", "retryable": 0},
    "timed_out": {"code": "timed_out", "message": "Drawn: it took too long.", "retryable": 1},
}


class Machine:
    """All workers: as many attempts at once as there are lanes."""

    def __init__(
        self,
        parameters: MachineParameters,
        draws: Draws,
        agenda: Agenda,
        *,
        run_of: Callable[[int], RunTruth],
        after: Callable[[int, datetime], None],
    ) -> None:
        self.parameters, self.draws, self.agenda = parameters, draws, agenda
        self.run_of, self.after = run_of, after
        self.idle = parameters.lanes
        self.queued: dict[int, int] = {}  # attempts by run, as it was last looked at
        self.risky = False  # something was left that only the sweeper will find
        self.held: dict[int, Claim] = {}
        self.known: dict[bytes, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.loading = blueprint.loading_steps()

    def claim(self, at: datetime) -> None:
        """Let idle lanes claim what is queued."""
        while self.idle and any(self.queued.values()):
            with clock.at(at):
                held = claims.claim(
                    queues=["cpu"],
                    operations=["noop"],
                    owner=OWNER,
                    worker=WORKER,
                    lease=self.parameters.lease.total_seconds(),
                )
                if held is None:
                    self.queued.clear()
                    return
                self._begin(held, at)

    def _begin(self, held: Claim, at: datetime) -> None:
        step, stage, round_, number = rows.place_of(held.id)
        run = self.run_of(held.run_id)
        # A contract that is computed again has new steps, whose attempts are numbered from one.
        place = (stage, round_, step)
        earlier = sum(1 for one in run.attempts if (one.stage, one.round, one.step) == place)
        draw = self.draws.about("attempt", run.use_case, run.number, *place, earlier)
        fate = self._fate(draw)
        length = draw.length(self.parameters.by_step.get(step, self.parameters.default))
        truth = AttemptTruth(held.id, stage, round_, step, number, begun=at)
        run.attempts.append(truth)
        self.idle -= 1
        if fate == "lost":
            truth.outcome, self.risky = "lost", True
            self.agenda.add(at + self.parameters.lease, self._free, machine=True)
            return
        claims.heartbeat(held, lease=(length + SLACK).total_seconds())
        self.held[held.id] = held
        red = self.loading.get(f"{stage}.{step}", False) and draw.chance(self.parameters.red)
        self.agenda.add(
            at + length, lambda now: self._end(held, truth, fate, now, red=red), machine=True
        )

    def _fate(self, draw: Draw) -> str:
        share, given = draw.share(), self.parameters
        chances = {
            "lost": given.lost,
            "timed_out": given.timed_out,
            "broken": given.final,
            "failed": given.retryable,
        }
        for fate, chance in chances.items():
            if share < chance:
                return fate
            share -= chance
        return "succeeded"

    def _free(self, at: datetime) -> None:
        self.idle += 1
        self.claim(at)

    def _end(self, held: Claim, truth: AttemptTruth, fate: str, at: datetime, *, red: bool) -> None:
        if self.held.pop(held.id, None) is None:
            return
        truth.done, truth.outcome = at, fate
        with clock.at(at):
            try:
                self._settle(held, truth, fate, red=red)
            except Fenced:
                truth.outcome = "fenced"
        self.risky = self.risky or fate != "succeeded"
        self.idle += 1
        self.after(held.run_id, at)
        self.claim(at)

    def _settle(self, held: Claim, truth: AttemptTruth, fate: str, *, red: bool) -> None:
        usage: dict[str, Any] = {}
        if fate in ERRORS:
            late = fate == "timed_out"
            error = {**ERRORS[fate], "retryable": bool(ERRORS[fate]["retryable"])}
            answer = attempts.fail(held=held, error=error, usage=usage, log="", timed_out=late)
        else:
            outputs, facts = self._computed(held)
            place = f"{truth.stage}.{truth.step}"
            facts = {**facts, **blueprint.FACTS.get(place, {})}
            if place in self.loading:
                facts |= {"loads": not red, "environment_differences": []}
            answer = attempts.complete(held=held, outputs=outputs, facts=facts, usage=usage, log="")
        if answer.data.get("state") == "CANCELLED":
            truth.outcome = "cancelled"

    def stop(self, run: int, at: datetime) -> None:
        """Let what runs for a cancelled run be seen as cancelled with its next heartbeats."""
        for held in [held for held in self.held.values() if held.run_id == run]:
            self.agenda.add(at + STOPPING, partial(self._stopped, held), machine=True)

    def _stopped(self, held: Claim, at: datetime) -> None:
        if self.held.pop(held.id, None) is None:
            return
        truth = next(one for one in self.run_of(held.run_id).attempts if one.row == held.id)
        truth.done, truth.outcome = at, "cancelled"
        with clock.at(at):
            try:
                attempts.cancelled(held=held)
            except Fenced:
                truth.outcome = "fenced"
        self.idle += 1
        self.after(held.run_id, at)
        self.claim(at)

    def _computed(self, held: Claim) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the operation answers; it answers alike to alike parameters."""
        name = canonical(held.params)
        if name not in self.known:
            self.known[name] = _compute(held)
        return self.known[name]


def _compute(held: Claim) -> tuple[dict[str, Any], dict[str, Any]]:
    spec = catalogue.spec(held.operation)
    with tempfile.TemporaryDirectory() as folder:
        params = clean_params(spec, held.params)
        context = Context(spec=spec, folder=Path(folder), params=params, seed=held.seed)
        outcome = catalogue.resolve(held.operation)(context)
        if not isinstance(outcome, Outcome):
            raise TypeError(f"{held.operation} answered {outcome!r}")
        outputs = {}
        for name, path in outcome.outputs.items():
            digest, size = storage().put(path)
            media = spec.output(name).media
            outputs[name] = {"digest": digest, "size": size, "media": media, "name": name}
        return outputs, dict(outcome.facts)
