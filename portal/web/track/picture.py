"""The whole track: lanes by persona, bars, hand-offs, returns, and what lies ahead."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from personas.people import BY_CODE
from pipelines.runs.queries.track import Bar, Pass, Return, Track
from portal.web.tags import spell
from portal.web.track.scale import Scale, moments_of, summary
from portal.web.track.shapes import BAR, BarBox, Box, Lane, Line, Picture, Tick

LEAST_WIDTH = 320.0  # px of the past, however short it is
WHOLE_WIDTH = 1040.0  # px of past and future together, where they need no more
MARGIN = 14.0
AXIS = 24.0  # px above the lanes for times
ROW = 34.0  # px of one row of bars in a lane
LANE_GAP = 8.0
LOOP = 14.0  # px above a lane in which a stage is sent back to itself
AHEAD_WIDTH = 68.0
AHEAD_GAP = 6.0
NOW_GAP = 22.0
TICK_GAP = 92.0  # px that a time's label needs
LETTER = 6.4  # px of a letter at 11 px, on average


def draw(track: Track) -> Picture:
    """Return the picture of a run's relay."""
    future = NOW_GAP + len(track.ahead) * (AHEAD_WIDTH + AHEAD_GAP) if track.ahead else 0.0
    least = max(LEAST_WIDTH, WHOLE_WIDTH - future)
    scale = Scale(moments_of(track), left=MARGIN, least=least)
    rows = _rows(track.bars)
    lanes = _lanes(track, rows)
    by_persona = {lane.persona: lane for lane in lanes}
    bars = tuple(_bar(bar, rows[bar.pk], by_persona, scale) for bar in track.bars)
    by_pk = {bar.fact.pk: bar for bar in bars}
    ahead = _ahead(track, by_persona, scale)
    right = ahead[-1].x + AHEAD_WIDTH if ahead else scale.right
    return Picture(
        width=round(right + MARGIN + 10, 1),
        height=round(lanes[-1].y + lanes[-1].height + LANE_GAP if lanes else AXIS, 1),
        lanes=lanes,
        bars=bars,
        passes=tuple(_pass(each, by_pk, by_persona, scale) for each in track.passes),
        returns=tuple(_return(back, by_pk, scale) for back in track.returns),
        ahead=ahead,
        ticks=_ticks(track, scale),
        now_x=None if track.ended else round(scale.right, 1),
        text=summary(track),
    )


def _rows(bars: Sequence[Bar]) -> Mapping[int, int]:
    """Give bars of one lane that overlap in time rows of their own; first free row first."""
    ends: dict[str, list[datetime]] = {}
    rows: dict[int, int] = {}
    for bar in sorted(bars, key=lambda bar: (bar.start, bar.pk)):
        lane = ends.setdefault(bar.persona, [])
        row = next((i for i, end in enumerate(lane) if end <= bar.start), len(lane))
        lane[row:] = [bar.end, *lane[row + 1 :]]
        rows[bar.pk] = row
    return rows


def _lane_order(codes: Iterable[str]) -> list[str]:
    return sorted(set(codes), key=lambda code: BY_CODE[code].lane if code in BY_CODE else 99)


def _lanes(track: Track, rows: Mapping[int, int]) -> tuple[Lane, ...]:
    used = _lane_order(
        [bar.persona for bar in track.bars]
        + [each.target_persona for each in track.passes]
        + [stage.persona for stage in track.ahead]
    )
    loops = {
        target.persona for back in track.returns if (target := track.bar(back.target)) is not None
    }
    lanes, y = [], AXIS
    for code in used:
        count = 1 + max((rows[bar.pk] for bar in track.bars if bar.persona == code), default=0)
        height = ROW * count + (LOOP if code in loops else 0)
        title = BY_CODE[code].title if code in BY_CODE else code
        lanes.append(Lane(code, title, y, height))
        y += height + LANE_GAP
    return tuple(lanes)


def _bar(bar: Bar, row: int, lanes: Mapping[str, Lane], scale: Scale) -> BarBox:
    lane = lanes[bar.persona]
    # Rows are counted from the bottom of the lane, so that loops have their room above.
    y = lane.y + lane.height - ROW * (row + 1) + (ROW - BAR) / 2
    x, right = scale(bar.start), scale(bar.end)
    width = max(right - x, 3.0)
    boxes = tuple(
        Box(
            span.kind,
            bar.persona,
            round(scale(span.start), 1),
            round(y, 1),
            round(max(scale(span.end) - scale(span.start), 3.0), 1),
            BAR,
        )
        for span in bar.spans
    )
    return BarBox(
        bar, round(x, 1), round(y, 1), round(width, 1), boxes, _label(bar, width), _bar_text(bar)
    )


def _label(bar: Bar, width: float) -> str:
    """Return as much of the title as fits; the round is never left out."""
    mark = f" R{bar.round}" if bar.round > 1 else ""
    room = int((width - 10) / LETTER) - len(mark)
    if len(bar.title) <= room:
        return bar.title + mark
    if bar.code and len(bar.code) <= room:
        return bar.code + mark
    return f"{bar.title[: room - 1]}…{mark}" if room >= 4 else mark.strip() if room >= 0 else ""


def _bar_text(bar: Bar) -> str:
    parts = [bar.title + (f", round {bar.round}" if bar.round > 1 else "")]
    parts.append(bar.owner or "nobody took it")
    parts.append(f"worked {spell(bar.work)}")
    if bar.wait:
        parts.append(f"waited {spell(bar.wait)}")
    return " · ".join(parts)


def _pass(each: Pass, bars: Mapping[int, BarBox], lanes: Mapping[str, Lane], scale: Scale) -> Line:
    """An elbow: along the giver's lane while the baton is in the air, then into the taker's."""
    x1, x2 = scale(each.start), max(scale(each.end), scale(each.start) + 2)
    y1 = bars[each.source].middle
    taken = bars.get(each.target)
    y2 = taken.middle if taken is not None else lanes[each.target_persona].middle
    down = 1 if y2 >= y1 else -1
    end = y2 - down * (BAR / 2 + 3) if taken is not None else y2
    bend = min(6.0, (x2 - x1) / 2, abs(end - y1) / 2)
    path = (
        f"M{x1:.1f} {y1:.1f}H{x2 - bend:.1f}"
        f"Q{x2:.1f} {y1:.1f} {x2:.1f} {y1 + down * bend:.1f}V{end:.1f}"
    )
    wait = spell(each.wait)
    roomy = x2 - x1 > len(wait) * LETTER + 8
    return Line(
        kind="pass",
        path=path,
        label=wait if roomy else "",
        label_x=round((x1 + x2) / 2, 1),
        label_y=round(y1 - 6, 1),
        text=f"Hand-off from {each.source_title} to {each.target_title}: {wait}",
        open=each.open,
    )


def _return(back: Return, bars: Mapping[int, BarBox], scale: Scale) -> Line:
    """An arc back to the round it opened; a loop over the lane where a stage returns to itself."""
    x, target = scale(back.at), bars[back.target]
    source = bars.get(back.source or 0)
    if source is None or source.fact.persona == target.fact.persona:
        top = target.y - 1
        high, left, right = top - 15, x - 9, x + 7
        path = _curve((left, top), (left, high), (right, high), (right, top))
        place = (x + 14, top - 4)
    else:
        y1, y2 = source.middle, target.middle
        bow = min(46.0, 16 + abs(y1 - y2) / 5)
        y2 += (BAR / 2 + 2) * (1 if y1 > y2 else -1)
        path = _curve((x, y1), (x + bow, y1), (x + bow, (y1 + y2) / 2), (x + 6, y2))
        place = (x + bow * 0.8 + 6, (y1 + y2) / 2)
    return Line(
        kind="return",
        path=path,
        label=back.code.replace("_", " "),
        label_x=round(place[0], 1),
        label_y=round(place[1], 1),
        text=f"{back.title} sent back to round {back.round}"
        + (f" by {back.by}" if back.by else "")
        + f": {back.reason}",
    )


def _curve(*points: tuple[float, float]) -> str:
    first, *rest = [f"{x:.1f} {y:.1f}" for x, y in points]
    return f"M{first}C{' '.join(rest)}"


def _ahead(track: Track, lanes: Mapping[str, Lane], scale: Scale) -> tuple[Box, ...]:
    x, boxes = scale.right + NOW_GAP, []
    for stage in track.ahead:
        lane = lanes[stage.persona]
        y = lane.y + lane.height - ROW + (ROW - BAR) / 2
        room = int((AHEAD_WIDTH - 8) / LETTER)
        title = stage.title
        text = title if len(title) <= room else f"{title[: room - 1].rstrip()}…"
        boxes.append(Box("ahead", stage.persona, round(x, 1), round(y, 1), AHEAD_WIDTH, BAR, text))
        x += AHEAD_WIDTH + AHEAD_GAP
    return tuple(boxes)


def _ticks(track: Track, scale: Scale) -> tuple[Tick, ...]:
    """Times above the lanes, where they have room; the day is named when it changes."""
    ticks: list[Tick] = []
    last, day = -TICK_GAP, None
    fine = track.end - track.start < timedelta(minutes=10)
    limit = scale.right - (0 if track.ended else 40)
    for moment in [track.start, *sorted(bar.start for bar in track.bars)]:
        x = scale(moment)
        if x - last < TICK_GAP or (ticks and x > limit):
            continue
        clock = f"{moment:%H:%M:%S}" if fine else f"{moment:%H:%M}"
        label = clock if moment.date() == day else f"{moment.day} {moment:%b} {clock}"
        last, day = x, moment.date()
        ticks.append(Tick(round(x, 1), label))
    return tuple(ticks)
