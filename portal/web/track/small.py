"""The track at 24 px, for lists."""

from pipelines.runs.queries.track import Track
from portal.web.track.scale import Scale, moments_of, summary
from portal.web.track.shapes import Box, Spark

SPARK_WIDTH = 168.0
SPARK_AHEAD = 5.0


def spark(track: Track, *, width: float = SPARK_WIDTH) -> Spark:
    """Return the small form: one row, who held it in colour, waits hatched, returns as marks."""
    future = len(track.ahead) * SPARK_AHEAD
    scale = Scale(moments_of(track), left=0.0, least=0.0)
    room = max(width - future - 2, width / 3)
    factor = room / scale.right if scale.right else 1.0
    boxes = [
        Box(
            span.kind,
            bar.persona,
            round(scale(span.start) * factor, 1),
            6,
            round(max((scale(span.end) - scale(span.start)) * factor, 1.5), 1),
            12,
        )
        for bar in track.bars
        for span in bar.spans
    ]
    boxes += [
        Box(
            "air",
            each.target_persona,
            round(scale(each.start) * factor, 1),
            10.5,
            round(max((scale(each.end) - scale(each.start)) * factor, 1.0), 1),
            3,
        )
        for each in track.passes
    ]
    boxes += [
        Box("ahead", stage.persona, round(room + 2 + i * SPARK_AHEAD, 1), 9, SPARK_AHEAD - 1.5, 6)
        for i, stage in enumerate(track.ahead)
        if room + 2 + (i + 1) * SPARK_AHEAD <= width + 1
    ]
    return Spark(
        width=width,
        boxes=tuple(boxes),
        returns=tuple(round(scale(back.at) * factor, 1) for back in track.returns),
        now_x=None if track.ended else round(room, 1),
        text=summary(track),
    )
