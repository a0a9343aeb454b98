"""What the engine itself costs: six no-op steps in sequence, alone and fifty at once.

    python -m benchmarks.engine

Over HTTP against a Baton of its own, as `make up` serves it. Each run has a seed of its own, or
the cache would answer.
"""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.served import (
    Person,
    median,
    percentile,
    publish,
    report,
    served,
    state,
    until,
    use_case,
)
from pipelines.blueprints.shipped import shipped_text
from pipelines.runs.actions import runs
from pipelines.runs.models import Attempt, Run

SEQUENCES = 40
AT_ONCE = 50
STEPS = 6
SEEDS = itertools.count(time.time_ns() % 10**9)


def main() -> None:
    """Measure and print."""
    with served():
        lena = Person("lena", "MLE")
        place = use_case(lena, [])
        version = publish(shipped_text("sequence"))
        path = f"use-cases/{place.key}/runs"

        def one() -> float:
            began = time.perf_counter()
            body = {"blueprint": "sequence", "seed": next(SEEDS), "start": True}
            made = lena.post(path, body)
            until(lambda: state(made["run"]) == "SUCCEEDED", every=0.001)
            return time.perf_counter() - began

        for _ in range(5):
            one()
        spent = []
        for _ in range(SEQUENCES):
            spent.append(one())
            time.sleep(0.05)
        report(
            "engine", "6 no-op steps in sequence, POST to done", p50_ms=median(spent),
            p95_ms=percentile(spent, 0.95), bar_p50_ms=100,
        )  # fmt: skip

        for number in range(3):
            made = [
                runs.create(
                    actor=lena.actor, use_case=place, version=version, seed=next(SEEDS), start=False
                ).data["run"]
                for _ in range(AT_ONCE)
            ]
            began = time.perf_counter()
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda run: lena.post(f"runs/{run}/start", {}), made))
            started = time.perf_counter() - began
            left = Run.objects.filter(pk__in=made).exclude(state="SUCCEEDED")
            until(lambda left=left: not left.exists(), every=0.02)
            took = time.perf_counter() - began
            done = Attempt.objects.filter(run__in=made, state="SUCCEEDED", cached_from=None).count()
            assert done == AT_ONCE * STEPS
            report(
                "engine", f"{AT_ONCE} such runs at once, pass {number + 1}",
                steps_per_s=round(done / took, 1), seconds=round(took, 2),
                all_started_after_s=round(started, 2), bar_steps_per_s=100,
            )  # fmt: skip


if __name__ == "__main__":
    main()
