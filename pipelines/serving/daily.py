"""What a model answered by day of event time, and whose outcomes are known; one bounded query."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from pipelines.registry.models import Model

MOST_ROWS = 20_000  # the newest answers by event time; more would be slower than a page may be
MOST_DAYS = 62

# Read from the end of the index on (model, event time), each outcome by its own index: neither the
# size of the log nor that of the labels matters.
QUERY = """
WITH newest AS (
  SELECT COALESCE(event_time, at) AS moment, score, served_by, failed, latency,
         EXISTS (SELECT FROM serving_label label
                 WHERE label.model_id = %(model)s AND label.key = logged.key) AS known
  FROM serving_prediction logged
  WHERE model_id = %(model)s
  ORDER BY COALESCE(event_time, at) DESC
  LIMIT %(most)s
)
SELECT (moment AT TIME ZONE 'UTC')::date AS day,
       count(*),
       count(*) FILTER (WHERE served_by = 'model'),
       count(*) FILTER (WHERE failed),
       count(*) FILTER (WHERE served_by = 'model' AND known),
       avg(score) FILTER (WHERE served_by = 'model'),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY latency),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY latency)
FROM newest
GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class Day:
    """One day of event time (UTC); latencies in seconds, scores of the model's answers alone."""

    day: date
    rows: int
    by_model: int
    failed: int
    labelled: int
    mean_score: float | None
    p50_seconds: float | None
    p95_seconds: float | None

    @property
    def by_fallback(self) -> int:
        """What the fallback answered."""
        return self.rows - self.by_model

    @property
    def unlabelled(self) -> int:
        """Answers of the model whose outcome has not been told."""
        return self.by_model - self.labelled


@dataclass(frozen=True)
class Days:
    """Whole days, oldest first; `is_cut` where there were answers before the first of them."""

    days: tuple[Day, ...]
    is_cut: bool


def days_of(model: Model, *, most: int = MOST_ROWS) -> Days:
    """Return the latest days of a model, out of its newest answers (shadow's among them)."""
    with connection.cursor() as cursor:
        cursor.execute(QUERY, {"model": model.pk, "most": most})
        found = [Day(*row) for row in cursor.fetchall()]
    is_cut = sum(day.rows for day in found) >= most
    if is_cut and len(found) > 1:
        found = found[1:]  # only a part of it was read
    return Days(tuple(found[-MOST_DAYS:]), is_cut or len(found) > MOST_DAYS)
