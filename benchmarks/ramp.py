"""How many steps a second the engine bears: a rate ramp, and where it bends.

    python -m benchmarks.ramp

No-op steps in runs of six are offered at a fixed rate, the same for every step of the ramp: a
run's start does not wait for another's end (an open loop: what is late makes nothing else late).
Of each rate the first seconds are not counted. A rate is borne if 95 % of what was offered is done
and what waits does not grow. The wait is from the end of a step (the completing command's time) to
when the next one's child began by its own clock: the commit, the claim and the pipe are in it.
"""

import itertools
import os
import threading
import time

from benchmarks.engine import STEPS, waits
from benchmarks.served import Person, median, percentile, publish, report, served, until, use_case
from pipelines.blueprints.shipped import shipped_text
from pipelines.runs.actions import runs
from pipelines.runs.models import Attempt, Run
from pipelines.usecases.models import BlueprintVersion, UseCase

RATES = tuple(map(int, os.environ.get("RATES", "30,60,90,120,150,180").split(",")))  # steps/s
SECONDS = float(os.environ.get("SECONDS", "20"))
WARM_SECONDS = 4.0
SEEDS = itertools.count(time.time_ns() % 10**9)
STARTERS = 4


def offer(
    lena: Person, place: UseCase, version: BlueprintVersion, rate: float, seconds: float
) -> list[int]:
    """Start runs at the rate, in this process, through the action that the API calls."""
    due = itertools.count()
    began = time.perf_counter() + 0.1
    made: list[int] = []

    def start() -> None:
        while True:
            at = next(due) * STEPS / rate
            if at >= seconds:
                return
            time.sleep(max(0.0, began + at - time.perf_counter()))
            answer = runs.create(
                actor=lena.actor, use_case=place, version=version, seed=next(SEEDS), start=True
            )
            made.append(answer.data["run"])

    threads = [threading.Thread(target=start) for _ in range(STARTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made


def bear(
    lena: Person, place: UseCase, version: BlueprintVersion, rate: int, seconds: float
) -> bool:
    """Offer one rate, report it, and let all of it end; returns whether it was borne."""
    zero = time.time()
    made = offer(lena, place, version, rate, seconds)
    left = Attempt.objects.filter(run__in=made, state__in=("QUEUED", "RUNNING")).count()
    until(
        lambda: not Run.objects.filter(pk__in=made).exclude(state="SUCCEEDED").exists(),
        seconds=300, every=0.2,
    )  # fmt: skip
    ends = Attempt.objects.filter(run__in=made, state="SUCCEEDED").values_list(
        "finished_at", flat=True
    )
    counted = [at for at in ends if WARM_SECONDS <= at.timestamp() - zero < seconds]
    done = len(counted) / (seconds - WARM_SECONDS)
    gaps = waits(made)
    borne = done >= 0.95 * rate
    report(
        "ramp", f"{rate} steps/s offered for {seconds:.0f} s", done_per_s=round(done, 1),
        borne=borne, open_at_the_end=left, wait_p50_ms=median(gaps),
        wait_p95_ms=percentile(gaps, 0.95),
        **({"bar_wait_p95_ms": 250} if rate == 120 else {}),
    )  # fmt: skip
    return borne


def ramp(lena: Person, place: UseCase, version: BlueprintVersion) -> None:
    """Go up until a rate is not borne."""
    best = 0
    for rate in RATES:
        if not bear(lena, place, version, rate, SECONDS):
            break
        best = rate
    report("ramp", "highest rate borne", steps_per_s=best, bar_steps_per_s=150)


def main() -> None:
    """Measure and print."""
    with served():
        lena = Person("lena", "MLE")
        place = use_case(lena, [])
        version = publish(shipped_text("sequence"))
        bear(lena, place, version, 30, 6)
        ramp(lena, place, version)


if __name__ == "__main__":
    main()
