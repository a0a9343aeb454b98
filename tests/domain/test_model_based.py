"""F25: random commands against a second engine of a page; both must agree after each one.

BATON_MODEL_EXAMPLES=2000 plays that many runs, each with other dice; by default a few (at length
more), the same each time.
"""

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from personas import ledger
from personas.errors import DomainError
from personas.models import Clock
from pipelines.runs import claims
from pipelines.runs.actions import attempts, gates, handoffs, items, runs, stages, steps
from pipelines.runs.models import Attempt, Run, Step
from pipelines.runs.sweeper import Sweeper
from pipelines.usecases.models import BlueprintVersion, UseCase
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.reference import (
    DECIDERS,
    EDGES,
    MAX_ROUNDS,
    NEEDS,
    SEND_BACK_TO,
    Held,
    Reference,
    Refused,
)
from tests.long import at_length

EXAMPLES = int(os.environ.get("BATON_MODEL_EXAMPLES", "0"))
STEPS = 40
KEYS = st.sampled_from(sorted(NEEDS))
SOURCES = st.sampled_from(sorted(EDGES))
TARGETS = st.sampled_from(SEND_BACK_TO)
PEOPLE = {("a", "take"): "sofia", ("b", "take"): "dmitri", ("a", "give"): "priya"}
PEOPLE[("b", "give")] = "priya"
CLOSED = {"CLOSED_UNDECIDED": "CLOSED", "SUPERSEDED": "CLOSED"}


def blueprint() -> BlueprintVersion:
    """The plan that the reference knows by heart."""

    def stage(key: str, persona: str, **more: Any) -> dict[str, Any]:
        work = [f.step(key, params={"message": key})]
        needs = list(NEEDS[key])
        return f.stage(key, persona, needs=needs, steps=work, max_rounds=MAX_ROUNDS, **more)

    gate = f.gate(
        "MLR", "MLE", send_back_to=list(SEND_BACK_TO), on_reject="end_rejected", expires="P1D",
        on_expire="hold",
    )  # fmt: skip
    return f.publish(
        f.plan(
            stage("a", "DE"),
            stage("c", "DE"),
            stage("b", "DS", gate=gate, items=[f.form("note")]),
            stage("d", "DE"),
        )
    )


class Commands(RuleBasedStateMachine):
    """One run, commanded at random."""

    cast: ClassVar[Cast]
    use_case: ClassVar[UseCase]
    version: ClassVar[BlueprintVersion]

    def __init__(self) -> None:
        super().__init__()
        self.within = transaction.atomic()
        self.within.__enter__()
        Clock.objects.create(id=1, offset=timedelta(0), simulation=True)
        made = runs.create(
            actor=acting(self.cast.amara), use_case=self.use_case, version=self.version
        )
        self.run_ = Run.objects.get(pk=made.data["run"])
        self.model = Reference()
        self.claims: list[tuple[claims.Claim, Held]] = []
        self.texts = self.pauses = 0
        self.sweeper = Sweeper(poke=lambda queue, pk: True, stopping=threading.Event())

    def teardown(self) -> None:
        """Prove the ledger, then forget all of it."""
        try:
            assert ledger.verify() is None
        finally:
            transaction.set_rollback(True)
            self.within.__exit__(None, None, None)

    def both(self, real: Callable[[], object], model: Callable[[], object]) -> None:
        """Do it to both; either both refuse or none does."""
        refusals: list[Exception] = []
        for do in (model, real):
            try:
                do()
            except (Refused, DomainError) as error:
                refusals.append(error)
        assert len(refusals) != 1, f"only one refused: {refusals!r}"

    def by(self, login: str) -> Any:
        return acting(getattr(self.cast, login))

    # --- workers ---------------------------------------------------------------------------

    @rule()
    def claim(self) -> None:
        held = f.maybe_claim()
        if held is None:
            assert self.model.queued() == set()
            return
        key = Step.objects.select_related("stage").get(pk=held.step_id).stage.key
        self.claims.append((held, self.model.claim(key)))

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        how=st.sampled_from(["complete", "complete", "error", "retryable", "lose", "release"]),
    )
    def settle(self, data: st.DataObject, how: str) -> None:
        # The latest mostly, so that runs get somewhere; older ones are often fenced by now.
        pick = data.draw(st.integers(0, len(self.claims) - 1).map(lambda n: -1 - n))
        self.end(*self.claims[pick], how)

    def end(self, held: claims.Claim, known: Held, how: str) -> None:
        """End a claim in one of the ways there are."""
        real: dict[str, Callable[[], object]] = {
            "complete": lambda: f.settle(held),
            "error": lambda: f.fail(held),
            "retryable": lambda: f.fail(held, retryable=True),
            "lose": lambda: attempts.lose(attempt_id=held.id, error={}, token=held.token),
            "release": lambda: attempts.release(held=held),
        }
        self.both(real[how], lambda: self.model.settle(known, how))

    @precondition(lambda self: self.model.queued())
    @rule(how=st.sampled_from(["error", "retryable", "lose", "release"]))
    def go_wrong(self, how: str) -> None:
        """Claim and settle: of claims that only wait, most are fenced off by time."""
        self.claim()
        self.end(*self.claims[-1], how)

    @initialize(times=st.sampled_from([0, 2, 4, 7, 9]))
    def begin(self, times: int) -> None:
        """Begin further on."""
        self.go_on(times)

    @precondition(lambda self: self.model.run == "RUNNING")
    @rule(times=st.integers(1, 6))
    def go_on(self, times: int) -> None:
        """Do what takes the run on: else few would get as far as the gate."""
        for _ in range(times):
            passing = [k for k, h in self.model.hand_offs.items() if h.state == "OFFERED"]
            if self.model.queued():
                self.claim()
                self.end(*self.claims[-1], "complete")
            elif passing:
                self.hand_over(passing[0], "accept")
            elif self.model.stages["b"].item == "ASSIGNED":
                self.fill()
            self.they_agree()

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def heartbeat(self, data: st.DataObject) -> None:
        held, known = data.draw(st.sampled_from(self.claims))
        answers = {None: "fenced", True: "cancelled", False: "on"}
        assert answers[claims.heartbeat(held, lease=60)] == self.model.heartbeat(known)

    @rule(minutes=st.sampled_from([5, 7 * 60]))
    def pass_time(self, minutes: int) -> None:
        clock = Clock.objects.get()
        clock.offset += timedelta(minutes=minutes)
        clock.save()
        self.sweeper.sweep()
        self.model.pass_time(minutes)

    # --- people ----------------------------------------------------------------------------

    @precondition(lambda self: self.model.stages["b"].gate)
    @rule(
        who=st.sampled_from(DECIDERS),
        verdict=st.sampled_from(
            ["approve", "approve", "approve", "abstain", "withdraw", "request_changes", "reject"]
        ),
        back=TARGETS,
    )
    def decide(self, who: str, verdict: str, back: str) -> None:
        target = back if verdict == "request_changes" else ""
        gate = f.gate_of(self.run_, "b")
        self.both(
            lambda: f.decide(getattr(self.cast, who), gate, verdict, target=target),
            lambda: self.model.decide(who, verdict, target),
        )

    @precondition(lambda self: self.model.stages["b"].gate == "OPEN")
    @rule()
    def approve_all(self) -> None:
        for who in DECIDERS:
            self.decide(who, "approve", "a")

    @precondition(lambda self: self.model.stages["b"].gate == "OPEN")
    @rule(who=st.sampled_from(DECIDERS), back=TARGETS)
    def ask_for_changes(self, who: str, back: str) -> None:
        self.decide(who, "request_changes", back)

    @precondition(lambda self: self.model.stages["b"].gate)
    @rule()
    def reopen(self) -> None:
        gate = f.gate_of(self.run_, "b")
        self.both(
            lambda: gates.reopen(actor=self.by("priya"), gate=gate, reason="again"),
            self.model.reopen,
        )

    @precondition(lambda self: self.model.stages["b"].item)
    @rule()
    def fill(self) -> None:
        item = f.item_of(self.run_, "note")
        self.texts += 1
        data = {"text": f"text {self.texts}"}
        self.both(
            lambda: items.complete(
                actor=self.by("sofia"), item=item, data=data, version=item.version
            ),
            self.model.fill,
        )

    @precondition(lambda self: self.model.hand_offs)
    @rule(source=SOURCES, how=st.sampled_from(["accept", "accept", "RETURNED", "WITHDRAWN"]))
    def hand_over(self, source: str, how: str) -> None:
        if source not in self.model.hand_offs:
            return
        passing = self.run_.hand_offs.filter(source__key=source).latest("id")
        taker, giver = self.by(PEOPLE[source, "take"]), self.by(PEOPLE[source, "give"])
        if how == "accept":
            self.both(
                lambda: handoffs.accept(actor=taker, hand_off=passing),
                lambda: self.model.accept(source),
            )
        elif how == "RETURNED":
            self.both(
                lambda: handoffs.return_(
                    actor=taker, hand_off=passing, reason="no", reason_code="quality"
                ),
                lambda: self.model.give_back(source, how),
            )
        else:
            self.both(
                lambda: handoffs.withdraw(actor=giver, hand_off=passing, reason="wait"),
                lambda: self.model.give_back(source, how),
            )

    @precondition(lambda self: any(h.state == "OFFERED" for h in self.model.hand_offs.values()))
    @rule(how=st.sampled_from(["accept", "RETURNED", "WITHDRAWN"]))
    def answer(self, how: str) -> None:
        self.hand_over(
            next(k for k, h in self.model.hand_offs.items() if h.state == "OFFERED"), how
        )

    @precondition(lambda self: any(s.step.state == "FAILED" for s in self.model.stages.values()))
    @rule()
    def retry_failed(self) -> None:
        self.retry(next(k for k, s in self.model.stages.items() if s.step.state == "FAILED"))

    @rule(key=KEYS)
    def retry(self, key: str) -> None:
        if not self.model.stages[key].step.state:
            return
        step = f.step_of(self.run_, key)
        self.both(
            lambda: steps.retry(actor=self.by("priya"), step=step),
            lambda: self.model.retry(key),
        )

    @precondition(lambda self: self.model.stages["b"].state == "FAILED")
    @rule(back=TARGETS)
    def send_failed_back(self, back: str) -> None:
        stage = f.stage_of(self.run_, "b")
        self.both(
            lambda: stages.send_back(
                actor=self.by("priya"), stage=stage, target=back, reason="bad",
                reason_code="quality",
            ),
            lambda: self.model.send_failed_back(back),
        )  # fmt: skip

    @rule(key=KEYS, refuse_cache=st.booleans())
    def rerun(self, key: str, refuse_cache: bool) -> None:
        stage = f.stage_of(self.run_, key)
        self.both(
            lambda: stages.rerun(
                actor=self.by("priya"), stage=stage, reason="again", refuse_cache=refuse_cache
            ),
            lambda: self.model.rerun(key, refuse_cache=refuse_cache),
        )

    # --- who manages -----------------------------------------------------------------------

    @rule()
    def pause(self) -> None:
        self.both(
            lambda: runs.pause(actor=self.by("priya"), run=self.run_, reason="wait"),
            self.model.pause,
        )
        if self.model.run == "PAUSED" and self.pauses % 3:  # mostly to go on at once
            self.resume()
        self.pauses += 1

    @precondition(lambda self: self.model.run == "PAUSED")
    @rule()
    def resume(self) -> None:
        self.both(lambda: runs.resume(actor=self.by("priya"), run=self.run_), self.model.resume)

    # What ends a run comes late, and seldom: most of a life is before it.
    @precondition(lambda self: len(self.claims) > 5)
    @rule(sure=st.sampled_from([False] * 5 + [True]))
    def cancel(self, sure: bool) -> None:
        if sure:
            self.both(
                lambda: runs.cancel(actor=self.by("priya"), run=self.run_, reason="enough"),
                self.model.cancel,
            )

    @precondition(lambda self: len(self.claims) > 5)
    @rule(sure=st.sampled_from([False] * 5 + [True]))
    def give_up(self, sure: bool) -> None:
        if sure:
            self.both(
                lambda: runs.give_up(actor=self.by("priya"), run=self.run_, reason="hopeless"),
                self.model.give_up,
            )

    # --- both agree ------------------------------------------------------------------------

    @invariant()
    def they_agree(self) -> None:
        assert self.real() == self.expected()

    def expected(self) -> dict[str, Any]:
        """What the reference says."""
        model = self.model
        gate = model.stages["b"].gate
        return {
            "run": model.run,
            "stages": {k: (s.round, s.state) for k, s in model.stages.items()},
            "steps": {k: (s.step.state, s.step.open) for k, s in model.stages.items()},
            "item": model.stages["b"].item,
            "gate": gate,
            "in force": dict(model.stages["b"].decided) if gate == "OPEN" else {},
            "hand-offs": {k: h.state for k, h in model.hand_offs.items()},
            "running": sum(held.state == "RUNNING" for held in model.held),
        }

    def real(self) -> dict[str, Any]:
        """What the rows say of the current rounds."""
        current = {stage.key: stage for stage in self.run_.stages.filter(current=True)}
        found = {s.stage_id: s for s in Step.objects.filter(stage__in=current.values())}
        opened = dict(
            Attempt.objects.filter(step__in=found.values(), state__in=("QUEUED", "RUNNING"))
            .values_list("step_id", "state")
        )  # fmt: skip
        b = current["b"]
        item = b.items.exclude(kind="attention").values_list("state", flat=True).first() or ""
        gate = b.gates.order_by("id").last()
        still_open = gate is not None and gate.state == "OPEN"
        given = gate.decisions.filter(state="IN_FORCE") if still_open else []
        hand_offs = self.run_.hand_offs.filter(source__current=True).order_by("id")
        return {
            "run": Run.objects.values_list("state", flat=True).get(pk=self.run_.pk),
            "stages": {key: (s.round, s.state) for key, s in current.items()},
            "steps": {
                key: (step.state, opened.get(step.pk, ""))
                if (step := found.get(stage.pk)) else ("", "")
                for key, stage in current.items()
            },
            "item": item,
            "gate": CLOSED.get(gate.state, gate.state) if gate else "",
            "in force": {one.user.username: one.verdict for one in given},
            "hand-offs": dict(hand_offs.values_list("source__key", "state")),
            "running": self.run_.attempts.filter(state="RUNNING").count(),
        }  # fmt: skip


@pytest.mark.timeout(3600 if EXAMPLES else 300)
def test_the_engine_does_what_a_page_of_python_says(cast: Cast) -> None:
    Commands.cast, Commands.use_case, Commands.version = cast, f.use_case(cast), blueprint()
    run_state_machine_as_test(
        Commands,
        settings=settings(
            max_examples=EXAMPLES or at_length(20, else_=8),
            stateful_step_count=STEPS,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
