"""A second engine, of a page: what a run must look like after each command, written anew.

It knows one plan, no database, no ledger and no lock; it shares no code with the engine. `flow`
says what moves by itself, each other method is one command. `Refused` is every refusal.

    a (DE) --hand-off--> b (DS, form, gate of MLR and MLE) --hand-off--> d (DE)
    c (DE) ------------------------------------------------------------> d
"""

from dataclasses import dataclass, field

NEEDS = {"a": (), "c": (), "b": ("a",), "d": ("b", "c")}
BELOW = {"a": ("b", "d"), "b": ("d",), "c": ("d",), "d": ()}
EDGES = {"a": "b", "b": "d"}
SEND_BACK_TO = ("a", "b")
MAX_ROUNDS, MAX_TRIES, MAX_LOST = 3, 2, 2
EXPIRES, LEASE = 24 * 60, 1  # minutes
DECIDERS = ("kenji", "lena")
STOPPED = ("READY", "ACTIVE", "IN_REVIEW", "DONE", "FAILED")


class Refused(Exception):
    """The command is refused, and nothing has changed."""


@dataclass
class Step:
    """A step; `open` is the state of its open attempt."""

    state: str = ""
    open: str = ""
    failures: int = 0
    losses: int = 0


@dataclass
class Stage:
    """The current round of a stage, with its one step."""

    state: str = "PENDING"
    round: int = 1
    step: Step = field(default_factory=Step)
    item: str = ""
    gate: str = ""
    expires: int = 0
    decided: dict[str, str] = field(default_factory=dict)
    refuse_cache: bool = False


@dataclass
class HandOff:
    """The latest hand-off over an edge."""

    state: str
    source_round: int


@dataclass
class Held:
    """A claim: who holds what, as long as nobody took it over."""

    stage: str
    step: Step
    until: int
    state: str = "RUNNING"
    unwanted: bool = False


class Reference:
    """One run."""

    def __init__(self) -> None:
        self.run = "RUNNING"
        self.now = 0
        self.paused_at = 0
        self.stages = {key: Stage() for key in NEEDS}
        self.hand_offs: dict[str, HandOff] = {}
        self.sent_back = dict.fromkeys(NEEDS, 0)
        self.computed: set[str] = set()
        self.held: list[Held] = []
        self.flow()

    # --- what moves by itself --------------------------------------------------------------

    def flow(self) -> None:
        """Move on until nothing moves."""
        while self.run == "RUNNING" and any(self._moves(key) for key in NEEDS):
            pass
        if self.run == "RUNNING" and all(s.state == "DONE" for s in self.stages.values()):
            self.run = "SUCCEEDED"

    def _moves(self, key: str) -> bool:
        stage = self.stages[key]
        before = (stage.state, stage.step.state, stage.item, self._passing(key))
        if stage.state == "PENDING" and self._needs_met(key):
            coming = [self._passing(need) for need in NEEDS[key] if EDGES.get(need) == key]
            if all(state in ("OFFERED", "ACCEPTED") for state in coming):
                stage.state = "READY" if coming else "ACTIVE"
        elif stage.state == "READY":
            if all(self._passing(n) == "ACCEPTED" for n in NEEDS[key] if EDGES.get(n) == key):
                stage.state = "ACTIVE"
        elif stage.state == "ACTIVE":
            self._work(key, stage)
        elif stage.state == "DONE" and self._wanted(key):
            self.hand_offs[key] = HandOff("OFFERED", stage.round)
        return before != (stage.state, stage.step.state, stage.item, self._passing(key))

    def _wanted(self, key: str) -> bool:
        waits = key in EDGES and self.stages[EDGES[key]].state == "PENDING"
        return waits and self._passing(key) == ""

    def _needs_met(self, key: str) -> bool:
        return all(self.stages[need].state == "DONE" for need in NEEDS[key])

    def _passing(self, source: str) -> str:
        """The state of the hand-off of the sender's round, if it is in force."""
        found = self.hand_offs.get(source)
        if found is None or found.source_round != self.stages[source].round:
            return ""
        return "" if found.state in ("RETURNED", "WITHDRAWN") else found.state

    def _work(self, key: str, stage: Stage) -> None:
        step = stage.step
        if step.state == "FAILED":
            stage.state = "FAILED"
        elif step.state == "SUCCEEDED" and (key != "b" or stage.item == "COMPLETED"):
            stage.state = "IN_REVIEW" if key == "b" else "DONE"
            if key == "b":
                stage.gate, stage.expires = "OPEN", self.now + EXPIRES
        else:
            if step.state == "":
                cached = key in self.computed and not stage.refuse_cache
                step.state = "SUCCEEDED" if cached else "QUEUED"
                step.open = "" if cached else "QUEUED"
            if key == "b" and not stage.item:
                stage.item = "ASSIGNED"

    # --- stopping and starting over --------------------------------------------------------

    def _stop(self, key: str) -> None:
        stage = self.stages[key]
        if stage.step.state in ("QUEUED", "RUNNING", "RETRY_WAIT"):
            stage.step.state = "CANCELLED"
        if stage.step.open == "QUEUED":
            stage.step.open = ""
        for held in self.held:
            held.unwanted |= held.step is stage.step
        if stage.item == "ASSIGNED":
            stage.item = "CANCELLED"
        if stage.gate == "OPEN":
            stage.gate = "CLOSED"
        passing = self.hand_offs.get(key)
        if passing is not None and passing.state == "OFFERED":
            passing.state = "WITHDRAWN"

    def _start_over(self, target: str, *, refuse_cache: bool = False) -> None:
        for key in (*BELOW[target], target):
            old = self.stages[key]
            if key != target and old.state == "PENDING":
                continue
            self._stop(key)
            self.hand_offs.pop(key, None)
            self.stages[key] = Stage(round=old.round + 1)
        self.stages[target].state = "ACTIVE"
        self.stages[target].refuse_cache = refuse_cache

    def _send_back(self, target: str) -> None:
        if self.sent_back[target] >= MAX_ROUNDS - 1:
            raise Refused("max_rounds")
        self.sent_back[target] += 1
        self._start_over(target)

    def _end(self, state: str) -> None:
        for key, stage in self.stages.items():
            self._stop(key)
            kept = stage.state == "FAILED" and state != "CANCELLING"
            if stage.state != "DONE" and not kept:
                stage.state = "CANCELLED"
        self.run = state
        self._settle_cancel()

    def _settle_cancel(self) -> None:
        if self.run == "CANCELLING" and not any(h.state == "RUNNING" for h in self.held):
            self.run = "CANCELLED"

    def _must(self, *, yes: bool) -> None:
        if not yes:
            raise Refused

    # --- workers ---------------------------------------------------------------------------

    def queued(self) -> set[str]:
        """The stages whose step may be claimed."""
        if self.run != "RUNNING":
            return set()
        return {key for key, stage in self.stages.items() if stage.step.open == "QUEUED"}

    def claim(self, key: str) -> Held:
        """A worker takes the stage's step."""
        self._must(yes=key in self.queued())
        step = self.stages[key].step
        step.state = step.open = "RUNNING"
        self.held.append(Held(key, step, self.now + LEASE))
        return self.held[-1]

    def heartbeat(self, held: Held) -> str:
        """Keep the lease: `fenced`, `cancelled` or `on`."""
        if held.state != "RUNNING":
            return "fenced"
        held.until = self.now + LEASE
        return "cancelled" if held.unwanted else "on"

    def settle(self, held: Held, how: str) -> None:
        """End a claim: complete, error, retryable, lose or release."""
        if how == "lose" and held.state != "RUNNING":
            return
        self._must(yes=held.state == "RUNNING")
        held.state = "ENDED"
        step = held.step
        step.open = ""
        if held.unwanted:
            self._settle_cancel()
            return
        if how == "complete":
            step.state = "SUCCEEDED"
            self.computed.add(held.stage)
        elif how in ("error", "retryable"):
            step.failures += 1
            again = how == "retryable" and step.failures < MAX_TRIES
            step.state = "RETRY_WAIT" if again else "FAILED"
        else:
            step.losses += how == "lose"
            step.state = "FAILED" if step.losses > MAX_LOST else "QUEUED"
            step.open = "QUEUED" if step.state == "QUEUED" else ""
        self.flow()

    def pass_time(self, minutes: int) -> None:
        """Time passes, and an engine looks what it has brought."""
        self.now += minutes
        for held in list(self.held):
            if held.state == "RUNNING" and held.until < self.now:
                self.settle(held, "lose")
        if self.run != "RUNNING":
            return
        for stage in self.stages.values():
            if stage.step.state == "RETRY_WAIT":
                stage.step.state = stage.step.open = "QUEUED"
        gated = self.stages["b"]
        if gated.gate == "OPEN" and gated.expires <= self.now:
            gated.gate = "EXPIRED"

    # --- people ----------------------------------------------------------------------------

    def decide(self, who: str, verdict: str, target: str = "") -> None:
        """Approve, abstain, reject, request_changes or withdraw."""
        stage = self.stages["b"]
        if stage.gate != "EXPIRED" and stage.decided.get(who) == verdict:
            return  # a second click
        self._must(yes=stage.gate == "OPEN" and self.run == "RUNNING")
        if verdict == "withdraw":
            self._must(yes=who in stage.decided)
            del stage.decided[who]
            return
        if verdict == "request_changes":
            self._send_back(target or SEND_BACK_TO[0])
        elif verdict == "reject":
            stage.decided[who] = verdict
            stage.gate, stage.state = "REJECTED", "FAILED"
            self._end("REJECTED")
        else:
            stage.decided[who] = verdict
            if all(stage.decided.get(one) == "approve" for one in DECIDERS):
                stage.gate, stage.state = "APPROVED", "DONE"
        self.flow()

    def reopen(self) -> None:
        """Ask again after nobody decided; approvals of the same content still count."""
        stage = self.stages["b"]
        self._must(yes=self.run == "RUNNING" and stage.gate == "EXPIRED")
        stage.gate, stage.expires = "OPEN", self.now + EXPIRES
        stage.decided = {who: v for who, v in stage.decided.items() if v == "approve"}

    def fill(self) -> None:
        """Complete the form."""
        stage = self.stages["b"]
        self._must(yes=self.run == "RUNNING" and stage.item == "ASSIGNED")
        stage.item = "COMPLETED"
        self.flow()

    def accept(self, source: str) -> None:
        """Accept what is offered; again is no change."""
        self._must(yes=self.run == "RUNNING" and source in self.hand_offs)
        passing = self.hand_offs[source]
        self._must(yes=passing.state in ("OFFERED", "ACCEPTED"))
        passing.state = "ACCEPTED"
        self.flow()

    def give_back(self, source: str, how: str) -> None:
        """Return (the receiver) or withdraw (the sender) what is offered."""
        self._must(yes=self.run == "RUNNING" and source in self.hand_offs)
        self._must(yes=self.hand_offs[source].state == "OFFERED")
        self._must(yes=self.sent_back[source] < MAX_ROUNDS - 1)
        self.hand_offs[source].state = how
        target = self.stages[EDGES[source]]
        if target.state == "READY":
            target.state = "PENDING"
        self._send_back(source)
        self.flow()

    def retry(self, key: str) -> None:
        """Try a failed step again."""
        stage = self.stages[key]
        self._must(yes=self.run == "RUNNING" and stage.step.state == "FAILED")
        if stage.state == "FAILED":
            stage.state = "ACTIVE"
        stage.step.losses = 0
        stage.step.state = stage.step.open = "QUEUED"
        self.flow()

    def send_failed_back(self, target: str) -> None:
        """Send the failed stage with the gate back."""
        self._must(yes=self.run == "RUNNING" and self.stages["b"].state == "FAILED")
        self._send_back(target)
        self.flow()

    def rerun(self, key: str, *, refuse_cache: bool) -> None:
        """Do a stage again, and what follows from it."""
        states = ("ACTIVE", "IN_REVIEW", "DONE", "FAILED")
        self._must(yes=self.run == "RUNNING" and self.stages[key].state in states)
        self._start_over(key, refuse_cache=refuse_cache)
        self.flow()

    # --- who manages -----------------------------------------------------------------------

    def pause(self) -> None:
        """Stop the clocks."""
        self._must(yes=self.run == "RUNNING")
        self.run, self.paused_at = "PAUSED", self.now

    def resume(self) -> None:
        """Go on; the time of the pause does not count."""
        self._must(yes=self.run == "PAUSED")
        self.run = "RUNNING"
        if self.stages["b"].gate == "OPEN":
            self.stages["b"].expires += self.now - self.paused_at
        self.flow()

    def cancel(self) -> None:
        """End it as soon as nothing runs."""
        self._must(yes=self.run in ("RUNNING", "PAUSED"))
        self._end("CANCELLING")

    def give_up(self) -> None:
        """End it as failed."""
        self._must(yes=self.run == "RUNNING")
        self._end("FAILED")
