"""A run played in memory: the plan is applied, people and workers answer at random."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from pipelines.blueprints import moves
from pipelines.blueprints.graph import affected, hand_off_def, hand_off_edges
from pipelines.blueprints.moves import Move
from pipelines.blueprints.plan import HandOffView, RunView, StageView, plan
from pipelines.blueprints.spec import Blueprint
from pipelines.lifecycles import HAND_OFF, NEW, RUN, STAGE, move

MET = {"DONE", "SKIPPED"}
GONE = {"SUPERSEDED", "SENT_BACK", "CANCELLED"}
Answer = tuple[str, Callable[[], None]]


@dataclass
class Stage:
    state: str
    round: int
    steps: dict[str, str] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    gate: str = ""


@dataclass
class HandOff:
    state: str
    source_round: int
    steps: dict[str, str] = field(default_factory=dict)
    green: bool | None = None


class Play:
    """The rows of one run. Every change of state goes through the life cycles."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.state = "RUNNING"
        self.stages: dict[str, Stage] = {}
        self.hand_offs: dict[tuple[str, str], HandOff] = {}
        self.facts: dict[str, dict[str, int]] = {}
        self.edges = set(hand_off_edges(blueprint))
        self.applied: list[Move] = []

    def move_to(self, blueprint: Blueprint) -> None:
        """Go on by another version."""
        self.blueprint = blueprint
        self.edges = set(hand_off_edges(blueprint))

    def view(self) -> RunView:
        stages = {
            key: StageView(s.state, s.round, s.steps, s.items, s.gate)
            for key, s in self.stages.items()
        }
        offs = {
            e: HandOffView(h.state, h.source_round, h.steps, h.green)
            for e, h in self.hand_offs.items()
        }
        return RunView(self.state, stages, offs, dict(self.facts))

    def advance(self) -> int:
        """Apply until nothing moves; how often the plan was asked."""
        for asked in range(1, 200):
            due = plan(self.blueprint, self.view())
            if not due:
                return asked
            for one in due:
                self.apply(one)
        raise AssertionError("the plan never comes to rest")

    def apply(self, one: Move) -> None:
        self.applied.append(one)
        getattr(self, type(one).__name__)(one)

    def to(self, key: str, event: str) -> None:
        stage = self.stages[key]
        stage.state = move(STAGE, stage.state, event)

    # what the plan may say

    def CreateStage(self, one: moves.CreateStage) -> None:
        before = self.stages.get(one.stage)
        assert before is None or before.state in GONE
        assert one.round == (before.round + 1 if before else 1)
        self.stages[one.stage] = Stage(move(STAGE, NEW, "create"), one.round)

    def ReadyStage(self, one: moves.ReadyStage) -> None:
        self.assert_needs_met(one.stage)
        assert all(h.state != "PREPARING" for h in self.coming(one.stage))
        self.to(one.stage, "ready")

    def ActivateStage(self, one: moves.ActivateStage) -> None:
        self.assert_needs_met(one.stage)
        assert all(h.state in {"ACCEPTED", "AUTO_ACCEPTED"} for h in self.coming(one.stage))
        self.to(one.stage, "activate")

    def SkipStage(self, one: moves.SkipStage) -> None:
        self.assert_needs_met(one.stage)
        on_the_way = [h for (_, target), h in self.hand_offs.items() if target == one.stage]
        assert not any(h.state in HAND_OFF.open for h in on_the_way)
        self.to(one.stage, "skip")

    def QueueStep(self, one: moves.QueueStep) -> None:
        stage = self.stages[one.stage]
        assert stage.state == "ACTIVE"
        assert one.step not in stage.steps
        after = self.blueprint.stage(one.stage).step(one.step).after
        assert all(
            (stage.steps | stage.items).get(name) in {"SUCCEEDED", "COMPLETED"} for name in after
        )
        stage.steps[one.step] = "QUEUED"

    def OpenItem(self, one: moves.OpenItem) -> None:
        stage = self.stages[one.stage]
        assert stage.state == "ACTIVE"
        assert one.item not in stage.items
        stage.items[one.item] = "OPEN"

    def SubmitStage(self, one: moves.SubmitStage) -> None:
        self.assert_all_done(one.stage)
        self.to(one.stage, "submit")
        self.stages[one.stage].gate = "OPEN"

    def OpenGate(self, one: moves.OpenGate) -> None:
        stage = self.stages[one.stage]
        assert (stage.state, stage.gate) == ("IN_REVIEW", "")
        stage.gate = "OPEN"

    def FinishStage(self, one: moves.FinishStage) -> None:
        stage = self.stages[one.stage]
        self.assert_all_done(one.stage)
        assert stage.state != "IN_REVIEW" or stage.gate == "APPROVED"
        self.to(one.stage, "approve" if stage.state == "IN_REVIEW" else "finish")

    def FailStage(self, one: moves.FailStage) -> None:
        assert self.stages[one.stage].steps[one.step] == "FAILED"
        self.to(one.stage, "fail")

    def PrepareHandOff(self, one: moves.PrepareHandOff) -> None:
        edge = (one.source, one.target)
        before = self.hand_offs.get(edge)
        assert edge in self.edges
        assert self.stages[one.source].state == "DONE"
        assert (
            before is None
            or before.state in {"WITHDRAWN", "RETURNED"}
            or (before.source_round < self.stages[one.source].round)
        )
        self.hand_offs[edge] = HandOff(
            move(HAND_OFF, NEW, "prepare"), self.stages[one.source].round
        )

    def QueueContractStep(self, one: moves.QueueContractStep) -> None:
        hand_off = self.hand_offs[(one.source, one.target)]
        assert one.step not in hand_off.steps
        hand_off.steps[one.step] = "QUEUED"

    def JudgeContract(self, one: moves.JudgeContract) -> None:
        hand_off = self.hand_offs[(one.source, one.target)]
        assert set(hand_off.steps.values()) <= {"SUCCEEDED"}
        hand_off.green = True

    def OfferHandOff(self, one: moves.OfferHandOff) -> None:
        assert not hand_off_def(self.blueprint, one.source).asks_a_person
        self.offer((one.source, one.target))

    def AutoAcceptHandOff(self, one: moves.AutoAcceptHandOff) -> None:
        self.answer_hand_off((one.source, one.target), "auto_accept")

    def WithdrawHandOff(self, one: moves.WithdrawHandOff) -> None:
        assert self.stages[one.target].state == "PENDING"
        self.answer_hand_off((one.source, one.target), "withdraw")

    def FinishRun(self, one: moves.FinishRun) -> None:
        assert all(stage.state in MET for stage in self.stages.values())
        assert set(self.stages) == {stage.key for stage in self.blueprint.stages}
        assert not self.answers(), "a run must not end with open tokens"
        self.state = move(RUN, self.state, "succeed")

    # what must hold

    def assert_needs_met(self, key: str) -> None:
        for need in self.blueprint.stage(key).needs:
            assert self.stages[need].state in MET, (key, need)

    def assert_all_done(self, key: str) -> None:
        stage, definition = self.stages[key], self.blueprint.stage(key)
        assert {step.key for step in definition.steps} == set(stage.steps)
        assert {item.key for item in definition.items} == set(stage.items)
        assert set(stage.steps.values()) <= {"SUCCEEDED"}
        assert set(stage.items.values()) <= {"COMPLETED"}

    def coming(self, key: str) -> list[HandOff]:
        """The hand-offs into a stage, each of the sender's present round."""
        needs = self.blueprint.stage(key).needs
        senders = [n for n in needs if (n, key) in self.edges and self.stages[n].state == "DONE"]
        found = [self.hand_offs[(sender, key)] for sender in senders]
        for sender, hand_off in zip(senders, found, strict=True):
            assert hand_off.source_round == self.stages[sender].round
        return found

    # what people and workers may answer

    def answers(self) -> list[Answer]:
        found: list[Answer] = []
        for key, stage in self.stages.items():
            found += self.stage_answers(key, stage)
        for edge, hand_off in self.hand_offs.items():
            found += self.hand_off_answers(edge, hand_off)
        return found

    def stage_answers(self, key: str, stage: Stage) -> list[Answer]:
        found: list[Answer] = []
        if stage.state == "ACTIVE":
            for step, state in stage.steps.items():
                if state == "QUEUED":
                    found.append(
                        ("step done", lambda k=step: self.finish_step(key, k, "SUCCEEDED"))
                    )
                    found.append(("step failed", lambda k=step: self.finish_step(key, k, "FAILED")))
            for item, state in stage.items.items():
                if state == "OPEN":
                    found.append(("item done", lambda k=item: stage.items.update({k: "COMPLETED"})))
        elif stage.state == "IN_REVIEW" and stage.gate == "OPEN":
            found.append(("approve", lambda: setattr(stage, "gate", "APPROVED")))
            found += [
                ("send back", lambda t=target: self.send_back(key, t))
                for target in self.blueprint.stage(key).gate.send_back_to  # type: ignore[union-attr]
                if self.may_repeat(target)
            ]
        elif stage.state == "FAILED":
            found.append(("retry", lambda: self.retry(key)))
        return found

    def hand_off_answers(self, edge: tuple[str, str], hand_off: HandOff) -> list[Answer]:
        if hand_off.state == "PREPARING":
            waiting = [step for step, state in hand_off.steps.items() if state == "QUEUED"]
            if waiting:
                return [("step done", lambda: hand_off.steps.update({waiting[0]: "SUCCEEDED"}))]
            return [("offer", lambda: self.offer(edge))]
        if hand_off.state != "OFFERED":
            return []
        found: list[Answer] = [("accept", lambda: self.answer_hand_off(edge, "accept"))]
        if self.may_repeat(edge[0]):
            found.append(("return", lambda: self.give_back(edge)))
        return found

    def finish_step(self, key: str, step: str, state: str) -> None:
        self.stages[key].steps[step] = state
        self.facts.setdefault(f"{key}.{step}", {})["n"] = len(self.applied) % 2

    def retry(self, key: str) -> None:
        self.to(key, "retry")
        stage = self.stages[key]
        stage.steps = {k: "QUEUED" if v == "FAILED" else v for k, v in stage.steps.items()}

    def offer(self, edge: tuple[str, str]) -> None:
        assert self.hand_offs[edge].green is not False
        assert set(self.hand_offs[edge].steps.values()) <= {"SUCCEEDED"}
        self.answer_hand_off(edge, "offer")

    def answer_hand_off(self, edge: tuple[str, str], event: str) -> None:
        self.hand_offs[edge].state = move(HAND_OFF, self.hand_offs[edge].state, event)

    def may_repeat(self, target: str) -> bool:
        return self.stages[target].round < self.blueprint.stage(target).max_rounds

    def give_back(self, edge: tuple[str, str]) -> None:
        self.answer_hand_off(edge, "return")
        self.repeat(edge[0])

    def send_back(self, key: str, target: str) -> None:
        self.to(key, "send_back")
        self.stages[key].gate = "CHANGES_REQUESTED"
        self.repeat(target)

    def repeat(self, target: str) -> None:
        """Round n+1 of the target; what depends on it is superseded, its hand-offs withdrawn."""
        reached = {target, *affected(self.blueprint, target)}
        for key in reached:
            if self.stages[key].state not in {"PENDING", *GONE}:
                self.to(key, "supersede")
        for edge, hand_off in self.hand_offs.items():
            if edge[1] in reached and hand_off.state in {"PREPARING", "OFFERED"}:
                self.answer_hand_off(edge, "withdraw")
        again = Stage(move(STAGE, NEW, "reopen"), self.stages[target].round + 1)
        self.stages[target] = again


@st.composite
def blueprints(draw: st.DrawFn) -> dict[str, object]:
    """Bodies of small blueprints of any shape: branches, joins, gates, conditions, hand-offs."""
    count = draw(st.integers(1, 6))
    stages = [draw(stage_bodies(index)) for index in range(count)]
    return {"key": "any", "title": "Any", "stages": stages}


@st.composite
def stage_bodies(draw: st.DrawFn, index: int) -> dict[str, object]:
    needs = sorted(draw(st.sets(st.integers(0, index - 1), max_size=3))) if index else []
    steps = [{"key": f"t{n}", "operation": "noop"} for n in range(draw(st.integers(0, 3)))]
    for n, step in enumerate(steps):
        if n and draw(st.booleans()):
            step["after"] = [f"t{n - 1}"]  # type: ignore[assignment]
    body: dict[str, object] = {
        "key": f"s{index}",
        "persona": draw(st.sampled_from(["DE", "DS", "MLR"])),
        "needs": [f"s{need}" for need in needs],
        "max_rounds": draw(st.integers(1, 3)),
        "steps": steps,
        "items": [{"key": "look", "kind": "review"}] if draw(st.booleans()) else [],
    }
    if needs and draw(st.integers(0, 3)) == 0:
        body["when"] = f"facts.s{needs[0]}.t0.n > 0"
    if draw(st.booleans()):
        back = draw(st.sets(st.sampled_from([*needs, index]), min_size=1))
        body["gate"] = {
            "rules": [{"persona": "BA"}],
            "send_back_to": [f"s{target}" for target in sorted(back)],
        }
    if draw(st.booleans()):
        body["hand_off"] = draw(hand_off_bodies())
    return body


@st.composite
def hand_off_bodies(draw: st.DrawFn) -> dict[str, object]:
    proven = draw(st.booleans())
    return {
        "accept": draw(st.sampled_from(["required", "auto"])),
        "steps": [
            {"key": "c0", "operation": "noop"},
            {"key": "c1", "operation": "noop", "after": ["c0"]},
        ]
        if proven
        else [],
        "contract": [{"name": "good"}] if proven else [],
        "checklist": [{"key": "gaps"}] if draw(st.booleans()) else [],
    }
