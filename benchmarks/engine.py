"""What the engine itself costs: six no-op steps in sequence, alone and fifty at once.

    python -m benchmarks.engine

Over HTTP against a Baton of its own, as `make up` serves it. Each run has a seed of its own, or
the cache would answer.
"""

import itertools
import time
from collections.abc import Sequence
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
from pipelines.usecases.models import BlueprintVersion, UseCase

SEQUENCES = 40
AT_ONCE = 50
STEPS = 6
SEEDS = itertools.count(time.time_ns() % 10**9)


def alone(lena: Person, place: UseCase, version: BlueprintVersion) -> None:
    """One run at a time: from its POST to its end, and from one step to the next."""
    path = f"use-cases/{place.key}/runs"
    made = []

    def one() -> float:
        began = time.perf_counter()
        body = {"blueprint": version.blueprint.key, "seed": next(SEEDS), "start": True}
        answer = lena.post(path, body)
        until(lambda: state(answer["run"]) == "SUCCEEDED", every=0.001)
        made.append(answer["run"])
        return time.perf_counter() - began

    for _ in range(5):
        one()
    made.clear()
    spent = []
    for _ in range(SEQUENCES):
        spent.append(one())
        time.sleep(0.05)
    report(
        "engine", "6 no-op steps in sequence, POST to done", p50_ms=median(spent),
        p95_ms=percentile(spent, 0.95), bar_p50_ms=50,
    )  # fmt: skip
    gaps = waits(made)
    report(
        "engine", "upstream complete to child running, idle", p50_ms=median(gaps),
        p95_ms=percentile(gaps, 0.95), bar_p50_ms=15,
    )  # fmt: skip


def waits(made: Sequence[int]) -> list[float]:
    """Seconds from each step's end to when the next one's child began, by the child's clock."""
    rows = Attempt.objects.filter(run__in=made, state="SUCCEEDED", cached_from=None)
    found: dict[int, list[tuple[float, float]]] = {}
    for run, began, ended in rows.order_by("run_id", "id").values_list(
        "run_id", "usage__began_at", "finished_at"
    ):
        found.setdefault(run, []).append((began, ended.timestamp()))
    return [
        after[0] - before[1]
        for steps in found.values()
        for before, after in itertools.pairwise(steps)
    ]


def at_once(lena: Person, place: UseCase, version: BlueprintVersion) -> None:
    """Fifty runs started over HTTP as fast as eight clients can."""
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
            all_started_after_s=round(started, 2), bar_steps_per_s=150,
        )  # fmt: skip


def main() -> None:
    """Measure and print."""
    with served():
        lena = Person("lena", "MLE")
        place = use_case(lena, [])
        version = publish(shipped_text("sequence"))
        alone(lena, place, version)
        at_once(lena, place, version)


if __name__ == "__main__":
    main()
