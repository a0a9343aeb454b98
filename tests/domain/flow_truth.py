"""The figures of flow against a simulation's ground truth: what was drawn is what is measured."""

from collections import Counter
from datetime import timedelta

from pipelines.insights import queries
from pipelines.insights.flow.spread import spread
from pipelines.insights.reading import LONGEST, Question, Scope
from pipelines.simulation.blueprint import simulated
from pipelines.simulation.truth import TaskTruth
from pipelines.simulation.world import World

ALL = Question(days=LONGEST)
EVERYBODY = Scope()


def flow_is_what_was_drawn(world: World) -> None:
    waits_are_what_was_drawn(world)
    returns_are_what_was_drawn(world)
    throughput_is_what_was_drawn(world)
    rounds_are_what_was_drawn(world)
    reviews_are_what_was_drawn(world)


def hand_offs(world: World, *outcomes: str) -> list[TaskTruth]:
    return [
        task
        for run in world.truth.runs
        for task in run.tasks
        if task.noun == "hand_off" and task.outcome in outcomes
    ]


def waits_are_what_was_drawn(world: World) -> None:
    giver = {stage["key"]: stage["persona"] for stage in simulated()["stages"]}
    matrix = queries.hand_off_flow(ALL, EVERYBODY).matrix
    drawn: dict[tuple[str, str], list[timedelta]] = {}
    for task in hand_offs(world, "accepted"):
        assert task.done is not None
        drawn.setdefault((giver[task.stage], task.persona), []).append(task.done - task.since)
    measured = {(pair.giver, pair.receiver): pair.wait for pair in matrix.pairs if pair.wait.n}
    assert measured == {pair: spread(waits) for pair, waits in drawn.items()}
    assert matrix.by_code == Counter(task.code for task in hand_offs(world, "returned"))
    returned = Counter((giver[t.stage], t.persona) for t in hand_offs(world, "returned"))
    assert {(p.giver, p.receiver): p.returned for p in matrix.pairs if p.returned} == returned
    assert matrix.ping_pong == sum(returned.values()) / sum(map(len, drawn.values()))


def returns_are_what_was_drawn(world: World) -> None:
    drawn = [
        (run.row, one.at, one.kind, one.source, one.target, one.code)
        for run in world.truth.runs
        for one in run.returns
    ]
    found = queries.history(ALL, EVERYBODY).returns
    told = [(o.run, o.at, o.kind, o.source, o.target, o.code) for o in found]
    assert sorted(told) == sorted(drawn)
    reasons = queries.return_flow(ALL, EVERYBODY).reasons
    codes = Counter(code for *_, code in drawn if code != "rerun")
    assert {one.code: one.n for one in reasons} == codes


def throughput_is_what_was_drawn(world: World) -> None:
    runs = world.truth.runs
    flow = queries.flow(ALL, EVERYBODY)
    done = [run.done for run in runs if run.state == "SUCCEEDED" and run.done is not None]
    assert flow.throughput.n == sum(flow.throughput.counts) == len(done)
    assert flow.runs == sum(1 for run in runs if run.done is None)
    clean = sum(
        1 for r in runs if r.state == "SUCCEEDED" and all(x.kind == "rerun" for x in r.returns)
    )
    assert (flow.clean_runs.count, flow.clean_runs.n) == (clean, len(done))
    bands = queries.cumulative(ALL, EVERYBODY).flow
    kept = [run for run in runs if run.state in ("RUNNING", "PAUSED", "SUCCEEDED")]
    assert bands.n == sum(1 for run in kept if run.rounds)
    assert bands.left[-1] == len(done)
    for band in bands.bands:
        entered = sum(1 for run in kept if run.rounds.get(band.stage))
        assert band.entered[-1] >= entered


def rounds_are_what_was_drawn(world: World) -> None:
    drawn: Counter[str] = Counter()
    for run in world.truth.runs:
        drawn.update(run.rounds)
    assert Counter(one.stage for one in queries.history(ALL, EVERYBODY).visits) == drawn


def reviews_are_what_was_drawn(world: World) -> None:
    """A gate that asked for changes did so with one of the drawn decisions."""
    asked = Counter(
        (task.row, task.code)
        for run in world.truth.runs
        for task in run.tasks
        if task.noun == "decision" and task.outcome == "request_changes"
    )
    gates = queries.history(ALL, EVERYBODY).gates
    sent_back = [(one.id, one.code) for one in gates if one.state == "CHANGES_REQUESTED"]
    assert sent_back
    assert set(sent_back) <= set(asked)
