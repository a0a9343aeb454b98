"""Whatever people and workers answer, a run moves only forward, and it ends."""

import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.blueprints.parse import parse
from pipelines.blueprints.plan import HandOffView, RunView, StageView, plan
from tests.long import at_length
from tests.unit.blueprints.playing import Play, blueprints

FORWARD = {"step done", "item done", "approve", "retry", "offer", "accept"}
slowly = settings(
    deadline=None,
    max_examples=at_length(150, else_=50),
    suppress_health_check=[HealthCheck.too_slow],
)


@slowly
@given(body=blueprints(), data=st.data())
def test_random_answers_lead_to_the_end(body: dict[str, object], data: st.DataObject) -> None:
    """Play asserts at each move: needs met, current rounds, no open token at the end."""
    play = Play(parse(body))
    play.advance()
    for _ in range(60):
        answers = play.answers()
        if not answers:
            break
        data.draw(st.sampled_from(answers), label="answer")[1]()
        play.advance()
    finish(play)
    assert play.state == "SUCCEEDED"


def finish(play: Play) -> None:
    """Everybody says yes from here on."""
    for _ in range(2000):
        if play.state != "RUNNING":
            return
        forward = [answer for name, answer in play.answers() if name in FORWARD]
        assert forward, "a running run waits for nobody"
        forward[0]()
        play.advance()
    raise AssertionError("the run never ends")


@slowly
@given(body=blueprints())
def test_yes_everywhere_takes_each_step_once(body: dict[str, object]) -> None:
    play = Play(parse(body))
    play.advance()
    finish(play)
    assert len(play.applied) == len(set(play.applied))
    assert all(stage.round == 1 for stage in play.stages.values())


@slowly
@given(body=blueprints(), data=st.data())
def test_the_same_view_gives_the_same_plan(body: dict[str, object], data: st.DataObject) -> None:
    play = Play(parse(body))
    play.advance()
    for _ in range(10):
        answers = play.answers()
        if not answers:
            break
        data.draw(st.sampled_from(answers))[1]()
        assert plan(play.blueprint, play.view()) == plan(parse(body), play.view())
        play.advance()


def test_a_plan_of_thirteen_stages_takes_less_than_a_millisecond() -> None:
    stages = [
        {
            "key": f"s{n}",
            "persona": ("DS", "DE")[n % 2],
            "needs": [f"s{n - 1}"] if n else [],
            "steps": [{"key": f"t{k}", "operation": "noop"} for k in range(6)],
        }
        for n in range(13)
    ]
    blueprint = parse({"key": "long", "title": "Long", "stages": stages})
    view = RunView(
        stages={f"s{n}": StageView("DONE" if n < 12 else "ACTIVE") for n in range(13)},
        hand_offs={(f"s{n}", f"s{n + 1}"): HandOffView("ACCEPTED", 1) for n in range(12)},
    )
    plan(blueprint, view)
    best = min(timed(lambda: plan(blueprint, view)) for _ in range(50))
    assert best < 0.001


def timed(call: object) -> float:
    started = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - started
