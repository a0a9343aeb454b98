"""The proof, when all is quiet: nothing lost, nothing doubled, and the ledger tells the same."""

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.core.management import get_commands
from django.db import connection
from django.db.models import Model

from benchmarks.chaos.havoc import Havoc
from benchmarks.chaos.people import Tally
from benchmarks.served import ROOT
from personas import ledger
from personas.models import Event
from pipelines.artefacts.actions import storage
from pipelines.lifecycles import GATE, RUN
from pipelines.runs.models import (
    Attempt,
    Decision,
    Gate,
    HandOff,
    Run,
    Stage,
    Step,
    WorkItem,
)

ROWS: dict[str, type[Model]] = {
    "run": Run,
    "stage": Stage,
    "step": Step,
    "attempt": Attempt,
    "work_item": WorkItem,
    "gate": Gate,
    "decision": Decision,
    "hand_off": HandOff,
}
EXPECTED = {"noop_failed", "database"}
CLAIMED = {("QUEUED", "RUNNING")}  # a claim writes no event: the attempt's row is its record


@dataclass(frozen=True)
class Verdict:
    """One thing that must hold, and what contradicts it."""

    name: str
    counted: int
    against: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing contradicts it."""
        return not self.against


def prove(tally: Tally, havoc: Havoc) -> list[Verdict]:
    """Judge everything; each verdict says how much it looked at."""
    proofs: list[Callable[[], Verdict]] = [
        lambda: _every_fault_strikes(havoc),
        lambda: _every_wish_once(tally),
        _every_run_ends,
        _nothing_open,
        _one_success,
        _one_closing,
        _one_decision,
        _one_event_per_success,
        _failures,
        _content,
        _ledger,
        _replay,
    ]
    found = [proof() for proof in proofs]
    if "verify" in get_commands():
        found.append(_verify())
    return found


def _verdict(name: str, counted: int, against: Iterator[str] | list[str]) -> Verdict:
    return Verdict(name, counted, tuple(against)[:20])


def _ask(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _every_fault_strikes(havoc: Havoc) -> Verdict:
    """A fault that never finds its victim would prove nothing, and nobody would know."""
    struck = {blow.fault for blow in havoc.blows}
    against = [
        f"{name} found nobody, {times} times" for name, times in havoc.missed.items()
        if name not in struck
    ]  # fmt: skip
    return _verdict("every fault that was thrown struck", len(havoc.blows), against)


def _every_wish_once(tally: Tally) -> Verdict:
    """Every run that somebody was told of exists, once; nobody was answered what may not be."""
    told, known = Counter(tally.created), set(Run.objects.values_list("pk", flat=True))
    against = [f"run {pk} was answered {n} times" for pk, n in told.items() if n > 1]
    against += [f"run {pk} is lost" for pk in told if pk not in known]
    against += [f"run {pk} was made and nobody was told" for pk in known - set(told)]
    return _verdict("every wish fulfilled once", len(told), against + tally.broken)


def _every_run_ends() -> Verdict:
    rows = Run.objects.exclude(state__in=RUN.terminal)
    against = [f"run {row.pk} is {row.state}" for row in rows]
    return _verdict("every run reached its end", Run.objects.count(), against)


def _nothing_open() -> Verdict:
    """Where the run has ended nothing waits for anybody."""
    against = []
    for model, states in (
        (Attempt, ("QUEUED", "RUNNING")),
        (Gate, ("OPEN",)),
        (HandOff, ("PREPARING", "OFFERED", "ESCALATED")),
        (Step, ("QUEUED", "RUNNING", "RETRY_WAIT")),
        (WorkItem, ("OPEN", "ASSIGNED", "IN_PROGRESS")),
    ):
        rows = model._default_manager.filter(run__state__in=RUN.terminal, state__in=states)
        against += [f"{model.__name__} {pk}" for pk in rows.values_list("pk", flat=True)]
    return _verdict("nothing open in what has ended", Run.objects.count(), against)


def _one_success() -> Verdict:
    """One SUCCEEDED attempt a step; one computation at most for each input, but where asked."""
    doubled = _ask(
        "SELECT step_id, count(*) FROM runs_attempt WHERE state = 'SUCCEEDED'"
        " GROUP BY step_id HAVING count(*) > 1"
    )
    without = _ask(
        "SELECT s.id FROM runs_step s LEFT JOIN runs_attempt a ON a.id = s.result_id"
        " WHERE s.state = 'SUCCEEDED' AND (a.id IS NULL OR a.state <> 'SUCCEEDED'"
        " OR a.step_id <> s.id)"
    )
    against = [f"step {step} succeeded {count} times" for step, count in doubled]
    against += [f"step {step} has no result of its own" for (step,) in without]
    return _verdict("one success a step", Step.objects.filter(state="SUCCEEDED").count(), against)


def _one_closing() -> Verdict:
    """Each gate that is closed was closed by one event, after all of its decisions."""
    closing = sorted({f"gate.{event}" for (_, event), to in GATE.moves.items() if to != "OPEN"})
    events = Event.objects.filter(subject="gate", type__in=closing)
    counts = Counter(events.values_list("subject_id", flat=True))
    closed = set(Gate.objects.exclude(state="OPEN").values_list("pk", flat=True))
    against = [f"gate {pk} was closed {n} times" for pk, n in counts.items() if n > 1]
    against += [f"gate {pk} has no closing event" for pk in closed - set(counts)]
    # By their place in the ledger: who waits for a lock has an older time than who held it.
    late = _ask(
        "SELECT d.id FROM runs_decision d JOIN personas_event e ON e.subject = 'decision'"
        " AND e.subject_id = d.id AND e.type IN ('decision.decide', 'decision.carry_over')"
        " JOIN personas_event c ON c.subject = 'gate' AND c.subject_id = d.gate_id"
        f" AND c.type = ANY(ARRAY[{', '.join(repr(kind) for kind in closing)}])"
        " WHERE c.seq < e.seq"
    )
    against += [f"decision {pk} came after the closing" for (pk,) in late]
    other = _ask(
        "SELECT d.id FROM runs_decision d JOIN runs_gate g ON g.id = d.gate_id"
        " WHERE d.subject_digest <> g.subject_digest"
    )
    against += [f"decision {pk} is on other content" for (pk,) in other]
    return _verdict("one closing a gate", len(closed), against)


def _one_decision() -> Verdict:
    rows = _ask(
        "SELECT gate_id, user_id, count(*) FROM runs_decision WHERE state = 'IN_FORCE'"
        " GROUP BY gate_id, user_id HAVING count(*) > 1"
    )
    against = [f"gate {gate}: person {user} counts {count} times" for gate, user, count in rows]
    return _verdict("one decision a person", Decision.objects.count(), against)


def _one_event_per_success() -> Verdict:
    kinds = ("attempt.complete", "attempt.cache_hit")
    counts = Counter(Event.objects.filter(type__in=kinds).values_list("subject_id", flat=True))
    done = set(Attempt.objects.filter(state="SUCCEEDED").values_list("pk", flat=True))
    against = [f"attempt {pk}: {n} events" for pk, n in counts.items() if n != 1]
    against += [f"attempt {pk}: no event" for pk in done - set(counts)]
    against += [f"attempt {pk}: an event, but no success" for pk in set(counts) - done]
    return _verdict("one event a success", len(done), against)


def _failures() -> Verdict:
    """Attempts failed because they were told to, or for want of a database: never by a defect."""
    rows = Attempt.objects.filter(state__in=("FAILED", "TIMED_OUT"))
    codes = Counter(rows.values_list("error__code", flat=True))
    against = [f"{code}: {n} times" for code, n in codes.items() if code not in EXPECTED]
    return _verdict("no failure but those that were asked for", sum(codes.values()), against)


def _content() -> Verdict:
    """Every output that was accepted is stored, and hashes to its name."""
    digests = {
        str(output["digest"])
        for outputs in Attempt.objects.filter(state="SUCCEEDED").values_list("outputs", flat=True)
        for output in outputs.values()
    }
    against = []
    for digest in digests:
        try:
            with storage().open(digest) as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except Exception as error:
            against.append(f"{digest}: {error}")
            continue
        if found != digest:
            against.append(f"{digest} hashes to {found}")
    return _verdict("content is what its name says", len(digests), against)


def _ledger() -> Verdict:
    broken = ledger.verify()
    return _verdict("the ledger verifies", Event.objects.count(), [str(broken)] if broken else [])


def _replay() -> Verdict:
    """Apply every event that changes a state; what comes out must be what the rows say."""
    known: dict[tuple[str, int], str] = {}
    against = []
    rows = Event.objects.filter(subject__in=ROWS).exclude(after="").order_by("stream_id", "seq")
    for kind, pk, before, after, event in rows.values_list(
        "subject", "subject_id", "before", "after", "type"
    ).iterator():
        last = known.get((kind, pk), "")
        claimed = kind in ("step", "attempt") and (last, before) in CLAIMED
        told = before == "" and last == after  # says again in which state it is
        if last != before and not claimed and not told:
            against.append(f"{kind} {pk}: {event} from {before}, but it was {last}")
        known[kind, pk] = after
    for kind, model in ROWS.items():
        for pk, state in model._default_manager.values_list("pk", "state"):
            last = known.get((kind, pk), "")
            if last != state and (last, state) not in CLAIMED:
                against.append(f"{kind} {pk} is {state}; its events say {last or 'nothing'}")
    return _verdict("replay gives the present states", len(known), against)


def _verify() -> Verdict:
    """The invariants, as the command judges them."""
    done = subprocess.run(
        [sys.executable, "manage.py", "verify"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    # Of two dozen lines those that say "holds" tell nothing.
    said = [line for line in lines if "  holds  " not in line]
    return _verdict("manage.py verify is silent", 1, said if done.returncode else [])
