"""The figures of flow together, and per stage."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.insights.flow import measures
from pipelines.insights.flow.forecast import Forecast, HowMany, how_many, when
from pipelines.insights.flow.little import LittlesLaw, littles_law
from pipelines.insights.flow.measures import Efficiency, Expectation, Share, Throughput
from pipelines.insights.flow.records import History, StageVisit, Window
from pipelines.insights.flow.spread import Spread, spread

AHEAD = 30  # days that "how many" looks ahead
TRIALS = 1_000  # enough for whole days; the forecast's own page draws more


@dataclass(frozen=True)
class StageFlow:
    """One stage's figures; `n`: visits done in the window."""

    stage: str
    position: int
    persona: str
    n: int
    wip: int
    cycle: Spread
    lead: Spread
    touch: Spread
    ages: Spread
    first_pass: Share
    efficiency: Efficiency


@dataclass(frozen=True)
class FlowSummary:
    """What page and API open with. Cycle and lead times are of stages unless said otherwise.

    `n`: visits read; `runs` under way and `throughput` of runs that succeeded; `finishing`: when
    all runs under way will be done, `coming`: how many will be in 30 days.
    """

    window: Window
    n: int
    runs: int
    stages_wip: int
    throughput: Throughput
    visits: Throughput
    cycle: Spread
    ages: Spread
    stage_lead: Spread
    lead: Spread
    touch: Spread
    complete: Share
    rolled: float | None
    efficiency: Efficiency
    wait: Spread
    ping_pong: float | None
    first_pass: Share
    clean_runs: Share
    expectation: Expectation
    little: LittlesLaw
    stages: tuple[StageFlow, ...]
    finishing: Forecast
    coming: HowMany


def summary(history: History) -> FlowSummary:
    """Return the figures of what was read."""
    window, visits = history.window, history.visits
    under_way = [run for run in history.runs if run.finished is None]
    succeeded = [run for run in history.runs if run.state == "SUCCEEDED"]
    done = measures.throughput((run.finished for run in succeeded), window)
    cycle = measures.cycle_times(visits, window)
    accepted = [one for one in history.hand_offs if one.accepted and one.answered]
    returned = {one.run for one in history.returns if one.kind != "rerun"}
    ended = [run for run in succeeded if window.has(run.finished)]
    receipts = sum(1 for one in history.hand_offs if one.returned)
    return FlowSummary(
        window=window,
        n=len(visits),
        runs=len(under_way),
        stages_wip=measures.wip(measures.spans(visits), window.until),
        throughput=done,
        visits=measures.throughput((v.finished for v in visits if v.done), window),
        cycle=cycle,
        ages=measures.ages(visits, window.until),
        stage_lead=measures.stage_lead_times(visits, window),
        lead=measures.use_case_lead_times(history.runs, window),
        touch=measures.touch_times(visits, window),
        complete=measures.complete_and_accurate(history.hand_offs),
        rolled=measures.rolled_complete_and_accurate(history.hand_offs),
        efficiency=measures.flow_efficiency(visits, window),
        wait=spread(one.answered - one.offered for one in accepted if one.answered),
        ping_pong=receipts / len(accepted) if accepted else None,
        first_pass=measures.first_pass_yield(visits, window),
        clean_runs=Share(sum(1 for run in ended if run.id not in returned), len(ended)),
        expectation=measures.expectation(cycle),
        little=littles_law(measures.spans(visits), window),
        stages=stage_flows(visits, window),
        finishing=when(done.counts, len(under_way), trials=TRIALS),
        coming=how_many(done.counts, AHEAD, trials=TRIALS),
    )


def stage_flows(visits: Sequence[StageVisit], window: Window) -> tuple[StageFlow, ...]:
    """Return each stage's figures, in order."""
    by_stage: dict[str, list[StageVisit]] = {}
    for visit in visits:
        by_stage.setdefault(visit.stage, []).append(visit)
    found = [_stage(stage, seen, window) for stage, seen in by_stage.items()]
    return tuple(sorted(found, key=lambda one: (one.position, one.stage)))


def _stage(stage: str, seen: Sequence[StageVisit], window: Window) -> StageFlow:
    cycle = measures.cycle_times(seen, window)
    return StageFlow(
        stage=stage,
        position=seen[0].position,
        persona=seen[0].persona,
        n=cycle.n,
        wip=measures.wip(measures.spans(seen), window.until),
        cycle=cycle,
        lead=measures.stage_lead_times(seen, window),
        touch=measures.touch_times(seen, window),
        ages=measures.ages(seen, window.until),
        first_pass=measures.first_pass_yield(seen, window),
        efficiency=measures.flow_efficiency(seen, window),
    )
