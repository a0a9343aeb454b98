"""Kill a Baton at random under load, wait until all is quiet, prove that nothing suffered.

    MINUTES=30 python -m benchmarks.chaos          # make chaos

MINUTES how long (fractions too), SEED which dice, FAULTS which ones only (a list with commas),
OPEN_RUNS how many runs at once, OUT where the report goes (var/chaos). BATON_LEASE_SECONDS is 6
here unless given, so that minutes show what else took an hour. Ends with 1 where a proof fails.
"""

import os

os.environ.setdefault("BATON_LEASE_SECONDS", "6")
os.environ.setdefault("BATON_SWEEP_SECONDS", "0.5")

import json
import shutil
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings
from django.db import close_old_connections

from benchmarks.chaos.havoc import Havoc, Replicas
from benchmarks.chaos.people import Client, Tally, desk, look, starter
from benchmarks.chaos.picture import picture
from benchmarks.chaos.plans import plans
from benchmarks.chaos.proof import Verdict, prove
from benchmarks.served import FOLDER, ROOT, Person, percentile, publish, report, served, use_case
from pipelines.lifecycles import RUN
from pipelines.runs.models import Attempt, Run

MINUTES = float(os.environ.get("MINUTES", "30"))
SEED = int(os.environ.get("SEED", "7"))
ONLY = tuple(filter(None, os.environ.get("FAULTS", "").split(",")))
OPEN_RUNS = int(os.environ.get("OPEN_RUNS", "24"))
OUT = Path(os.environ.get("OUT", "") or ROOT / "var" / "chaos")
PERSONAS = ("BA", "DE", "DS", "MLR", "MLE", "SWE", "OPS")
PLACES = 4
QUIET_SECONDS = 300.0
BUCKET = 5.0  # seconds


def start(*threads: threading.Thread) -> None:
    """Start threads."""
    for thread in threads:
        thread.start()


def daemon(name: str, act: object, *words: object, **more: object) -> threading.Thread:
    """A thread that does not outlive the process."""
    return threading.Thread(target=act, args=words, kwargs=more, name=name, daemon=True)  # type: ignore[arg-type]


def people() -> dict[str, Person]:
    """One person for each persona; who runs the place may pause and cancel."""
    found = {code: Person(f"chaos-{code.lower()}", code) for code in PERSONAS}
    manager = found["OPS"].user
    manager.capabilities = ["run.manage"]
    manager.save(update_fields=["capabilities"])
    return found


def watch(havoc: Havoc, sizes: dict[str, list[int]], stopping: threading.Event) -> None:
    """Look every five seconds how much memory each kind of process holds, in MiB."""
    while not stopping.wait(5):
        for kind in ("web", "engine", "worker", "child"):
            for process in havoc.victims(kind):
                with suppress(psutil.Error):
                    # The web's own process serves in one of its own; a worker's have their line.
                    below = process.children(recursive=True) if kind == "web" else []
                    sizes[kind].append(sum(p.memory_info().rss for p in (process, *below)) >> 20)


def quiet(seconds: float) -> bool:
    """Wait until every run has ended; False where one does not."""
    until = time.monotonic() + seconds
    under_way = Run.objects.exclude(state__in=RUN.terminal)
    while time.monotonic() < until:
        if look(lambda: [under_way.exists()]) == [False]:
            return True
        time.sleep(0.5)
    return False


def rates(moments: Iterable[float], seconds: float) -> list[tuple[float, float]]:
    """How many a second, per bucket."""
    counts = Counter(int(at // BUCKET) for at in moments if at >= 0)
    return [(n * BUCKET, counts[n] / BUCKET) for n in range(int(seconds // BUCKET) + 1)]


def p95s(values: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The p95 in ms of (at, seconds), per bucket."""
    buckets: dict[int, list[float]] = defaultdict(list)
    for at, took in values:
        buckets[int(at // BUCKET)].append(took)
    return [(n * BUCKET, percentile(buckets[n], 0.95)) for n in sorted(buckets)]


def play(tally: Tally, havoc: Havoc, sizes: dict[str, list[int]]) -> bool:
    """Load and faults for so long, then calm until all is quiet."""
    staff = people()
    seated = [person for code, person in staff.items() if code != "BA"]
    places = [use_case(staff["BA"], seated).key for _ in range(PLACES)]
    for plan in plans():
        publish(plan)
    over, calm, home = threading.Event(), threading.Event(), threading.Event()
    replicas = Replicas()
    tally.began = time.time()
    start(
        daemon("replicas", replicas.run, home),
        daemon("memory", watch, havoc, sizes, home),
        *(
            daemon(code, desk, Client(person, tally), code, stopping=home, calm=calm)
            for code, person in staff.items()
        ),
    )
    first = daemon(
        "starter", starter, Client(staff["BA"], tally), places, most_open=OPEN_RUNS, stopping=over
    )
    blows = daemon("havoc", havoc.run, over)
    start(first)
    time.sleep(min(10.0, 6 * MINUTES))  # see how it goes when all is well
    start(blows)
    time.sleep(60 * MINUTES)
    over.set()
    blows.join()
    first.join(timeout=200)
    calm.set()
    ended = quiet(QUIET_SECONDS)
    home.set()
    replicas.stop()
    time.sleep(1)
    close_old_connections()
    return ended


def figures(tally: Tally, havoc: Havoc, sizes: dict[str, list[int]], seconds: float) -> str:
    """Print figures as JSON lines; write the picture; return the table."""
    done = Attempt.objects.filter(state="SUCCEEDED", cached_from=None)
    finished = [at.timestamp() - tally.began for at in done.values_list("finished_at", flat=True)]
    waits = [
        (began.timestamp() - tally.began, max(0.0, (began - due).total_seconds()))
        for began, due in done.filter(started_at__isnull=False).values_list("started_at", "due_at")
    ]
    answers = [(at - tally.began, took) for at, _, took in tally.answers]
    states = Counter(Attempt.objects.values_list("state", flat=True))
    ends = Counter(Run.objects.values_list("state", flat=True))
    faults = Counter(blow.fault for blow in havoc.blows)
    took = [value for _, value in answers] or [0.0]
    waited = [value for _, value in waits] or [0.0]
    report(
        "chaos", "load", minutes=MINUTES, seed=SEED, runs=dict(ends), attempts=dict(states),
        steps_per_s=round(len(finished) / seconds, 1), decisions=tally.decided,
        answers=len(answers), asked_again=tally.repeated, replayed=tally.replayed,
        refused=tally.refused, lease_seconds=settings.LEASE_SECONDS,
    )  # fmt: skip
    report(
        "chaos", "latency", post_p50_ms=round(1000 * statistics.median(took), 1),
        post_p95_ms=percentile(took, 0.95), queue_p95_ms=percentile(waited, 0.95),
    )  # fmt: skip
    report("chaos", "faults", count=len(havoc.blows), by=dict(faults))
    report("chaos", "memory, MiB", **{kind: _range(found) for kind, found in sizes.items()})
    drawn = picture(
        seconds=seconds,
        steps=rates(finished, seconds),
        panels={"POST answered": p95s(answers), "queued to claimed": p95s(waits)},
        blows=havoc.blows,
        began=tally.began,
    )
    (OUT / "chaos.svg").write_text(drawn, encoding="utf-8")
    lines = [f"  {count:5d} x {fault}" for fault, count in faults.most_common()]
    lines += [f"  {count:5d} runs {state}" for state, count in ends.most_common()]
    lines += [f"  {count:5d} attempts {state}" for state, count in states.most_common()]
    return "\n".join(lines)


def _range(sizes: Sequence[int]) -> dict[str, int]:
    return {"least": min(sizes), "median": int(statistics.median(sizes)), "most": max(sizes)}


def judged(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as a table."""
    lines = []
    for verdict in verdicts:
        lines.append(f"  {'holds ' if verdict.holds else 'BROKEN'}  {verdict.name}"
                     f" ({verdict.counted} looked at)")  # fmt: skip
        lines += [f"            {text}" for text in verdict.against]
    return "\n".join(lines)


def main() -> int:
    """Play, prove, report; returns the exit status."""
    OUT.mkdir(parents=True, exist_ok=True)
    tally, sizes = Tally(), defaultdict(list)
    havoc = Havoc(SEED, settings.LEASE_SECONDS, ONLY)
    with served():
        ended = play(tally, havoc, sizes)
        seconds = time.time() - tally.began
        verdicts = prove(tally, havoc)
        table = figures(tally, havoc, sizes, seconds)
    broken = [verdict for verdict in verdicts if not verdict.holds]
    for verdict in verdicts:
        report("chaos", verdict.name, holds=verdict.holds, counted=verdict.counted,
               against=verdict.against)  # fmt: skip
    text = f"Chaos, {MINUTES:g} minutes, seed {SEED}\n{table}\n{judged(verdicts)}\n"
    (OUT / "chaos.txt").write_text(text, encoding="utf-8")
    blows = [vars(blow) | {"at": round(blow.at - tally.began, 1)} for blow in havoc.blows]
    (OUT / "faults.jsonl").write_text("".join(json.dumps(b) + "\n" for b in blows), "utf-8")
    if broken or not ended:
        for log in FOLDER.glob("**/*.log"):
            with suppress(OSError):
                shutil.copy(log, OUT / f"{log.parent.name}-{log.name}")
    print(text, file=sys.stderr)
    return 1 if broken or not ended else 0


if __name__ == "__main__":
    sys.exit(main())
