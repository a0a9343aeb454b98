"""The relay track's geometry: what is drawn where, whatever the times are."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.runs.queries.track import REVIEW, WAIT, WORK, Ahead, Bar, Pass, Return, Span, Track
from portal.web.track import BAR, Scale, draw, spark, stretch

# A busy machine is no finding.
calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def bar(pk: int, persona: str, *spans: tuple[str, float, float], number: int = 1) -> Bar:
    return Bar(
        pk=pk,
        key=f"s{pk}",
        code=f"S{pk}",
        title=f"Stage {pk}",
        persona=persona,
        round=number,
        state="DONE",
        owner="Amara Osei",
        spans=tuple(Span(kind, at(one), at(two)) for kind, one, two in spans),
        open=False,
    )


def passed(pk: int, source: int, target: int, one: float, two: float) -> Pass:
    return Pass(
        pk=pk,
        source=source,
        target=target,
        source_title="Stage",
        target_title="Next",
        source_persona="BA",
        target_persona="DS",
        start=at(one),
        end=at(two),
        state="ACCEPTED",
        open=False,
    )


def track(*bars: Bar, end: float = 60, **parts: object) -> Track:
    return Track(now=at(end), start=START, end=at(end), ended=False, bars=bars, **parts)


def test_lanes_are_in_persona_order_and_apart() -> None:
    picture = draw(
        track(
            bar(1, "OPS", (WORK, 0, 5)),
            bar(2, "BA", (WORK, 5, 9)),
            ahead=(Ahead("x", "S9", "Answer", "MLE"),),
        )
    )
    assert [lane.persona for lane in picture.lanes] == ["BA", "MLE", "OPS"]
    for above, below in zip(picture.lanes, picture.lanes[1:], strict=False):
        assert above.y + above.height < below.y
    assert picture.height >= picture.lanes[-1].y + picture.lanes[-1].height


def test_work_is_solid_and_waits_are_apart_from_it() -> None:
    picture = draw(track(bar(1, "DE", (WAIT, 0, 2), (WORK, 2, 10), (REVIEW, 10, 30))))
    [drawn] = picture.bars
    assert [box.kind for box in drawn.boxes] == [WAIT, WORK, REVIEW]
    for one, two in zip(drawn.boxes, drawn.boxes[1:], strict=False):
        assert abs(one.x + one.width - two.x) < 0.2
    assert drawn.text == "Stage 1 · Amara Osei · worked 8 min · waited 22 min"


def test_bars_of_one_lane_that_overlap_get_rows_of_their_own() -> None:
    picture = draw(
        track(
            bar(1, "MLR", (WORK, 0, 20)),
            bar(2, "MLR", (WORK, 10, 30)),
            bar(3, "MLR", (WORK, 25, 40)),
        )
    )
    one, two, three = picture.bars
    assert abs(one.y - two.y) >= BAR
    assert three.y == one.y  # the first row is free again


def test_a_hand_off_ends_at_its_takers_bar() -> None:
    picture = draw(
        track(
            bar(1, "BA", (WORK, 0, 10)),
            bar(2, "DS", (WORK, 40, 50)),
            passes=(passed(1, 1, 2, 10, 40),),
        )
    )
    [line] = picture.passes
    giver, taker = picture.bars
    assert line.path.startswith(f"M{giver.x + giver.width:.1f} {giver.middle:.1f}H")
    assert f"{taker.x:.1f}" in line.path
    assert line.label == "30 min"
    assert line.text == "Hand-off from Stage to Next: 30 min"


def test_a_return_names_its_reason_and_round() -> None:
    back = Return(
        2, "Features", 2, 1, at(10), "not_available", "Known after landing.", "Sofia Reyes"
    )
    picture = draw(
        track(
            bar(1, "DS", (REVIEW, 0, 10)),
            bar(2, "MLR", (WORK, 10, 20), number=2),
            returns=(back,),
        )
    )
    [line] = picture.returns
    assert line.label == "not available"
    assert line.text == "Features sent back to round 2 by Sofia Reyes: Known after landing."


def test_what_lies_ahead_is_right_of_now_in_order() -> None:
    ahead = tuple(Ahead(str(n), f"S{n}", f"Stage {n}", "BA") for n in range(4))
    picture = draw(track(bar(1, "BA", (WORK, 0, 60)), ahead=ahead))
    assert picture.now_x is not None
    places = [box.x for box in picture.ahead]
    assert places == sorted(places)
    assert places[0] > picture.now_x
    assert picture.width > places[-1]


def test_an_ended_run_has_no_now() -> None:
    ended = Track(
        now=at(99), start=START, end=at(9), ended=True, bars=(bar(1, "BA", (WORK, 0, 9)),)
    )
    assert draw(ended).now_x is None
    assert spark(ended).now_x is None


def test_a_run_that_has_just_begun_can_be_drawn() -> None:
    empty = Track(now=START, start=START, end=START, ended=False)
    assert draw(empty).bars == ()
    assert spark(empty).boxes == ()


@calmly
@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=30, unique=True))
def test_order_in_time_is_order_on_the_page(seconds: list[int]) -> None:
    moments = [START + timedelta(seconds=s) for s in seconds]
    scale = Scale(moments, left=0.0, least=300.0)
    places = [scale(moment) for moment in sorted(moments)]
    assert places == sorted(places)
    assert len(set(places)) == len(places)
    assert scale.right >= 300.0 - 1e-6


@calmly
@given(st.floats(0, 1e8), st.floats(0, 1e8))
def test_what_lasts_longer_is_never_narrower(one: float, two: float) -> None:
    short, long = sorted((one, two))
    assert stretch(timedelta(seconds=short)) <= stretch(timedelta(seconds=long))


@calmly
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 100)), min_size=1, max_size=12))
def test_the_spark_stays_within_its_width(pairs: list[tuple[int, int]]) -> None:
    bars = [bar(n, "DS", (WORK, one, one + two)) for n, (one, two) in enumerate(pairs)]
    small = spark(track(*bars, end=700))
    assert all(0 <= box.x <= small.width for box in small.boxes)
    assert all(box.x + box.width <= small.width + 2 for box in small.boxes)
