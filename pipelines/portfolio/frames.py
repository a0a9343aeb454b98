"""What the board holds cards against: clock, people, work under way, the past, the briefs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from pipelines.portfolio.pace import MOST_ROUNDS, STAYS, Stay, stay_of

FRAME: Final = f"""
SELECT baton_now(),
       (SELECT jsonb_object_agg(persona_id, n) FROM (
          SELECT p.persona_id, count(*) AS n
            FROM personas_user_personas p JOIN personas_user u ON u.id = p.user_id
           WHERE u.is_active AND NOT u.is_service GROUP BY 1) people),
       (SELECT jsonb_object_agg(key, n) FROM (
          SELECT s.key, count(*) AS n FROM runs_stage s JOIN runs_run r ON r.id = s.run_id
           WHERE s.current AND s.state IN ('ACTIVE', 'IN_REVIEW', 'FAILED')
             AND r.state IN ('RUNNING', 'PAUSED') AND r.kind = %(kind)s GROUP BY 1) work),
       (SELECT jsonb_object_agg(key, jsonb_build_array(n, at)) FROM ({STAYS}) stays)
"""  # noqa: S608 - texts of this package alone
BRIEFS: Final = """
SELECT DISTINCT ON (st.run_id) st.run_id, a.facts->'value_per_year', a.facts->>'currency',
       a.facts->'tier'
  FROM runs_step st JOIN runs_attempt a ON a.id = st.result_id
 WHERE st.operation = 'frame_value' AND st.run_id = ANY(%(runs)s)
 ORDER BY st.run_id, a.id DESC
"""
TIERED: Final = """
SELECT 1 FROM runs_step st JOIN runs_attempt a ON a.id = st.result_id
 WHERE st.operation = 'frame_value' AND st.run_id = r.id AND a.facts->'tier' = to_jsonb(%(tier)s)
"""


@dataclass(frozen=True)
class Frame:
    """Now; active people by persona; rounds under way and how long finished ones took, by stage.

    Of all use cases: numbers of people and of rounds name nobody.
    """

    now: datetime
    people: Mapping[str, int]
    work: Mapping[str, int]
    stays: Mapping[str, Stay]


@dataclass(frozen=True)
class Brief:
    """What the brief's value says."""

    value: float | None
    currency: str
    tier: int | None


NO_BRIEF: Final = Brief(None, "", None)


def frame(kind: str) -> Frame:
    """Return what cards of a kind of run are held against; one query."""
    with connection.cursor() as cursor:
        cursor.execute(FRAME, {"kind": kind, "most": MOST_ROUNDS})
        now, people, work, stays = cursor.fetchone()
    people, work, stays = (_object(each) for each in (people, work, stays))
    return Frame(now, people, work, {key: stay_of(n, at) for key, (n, at) in stays.items()})


def briefs(runs: Sequence[int]) -> dict[int, Brief]:
    """Return value and tier of these runs' briefs; one query."""
    with connection.cursor() as cursor:
        cursor.execute(BRIEFS, {"runs": list(runs)})
        found = cursor.fetchall()
    return {run: Brief(_number(value), cur or "", _whole(tier)) for run, value, cur, tier in found}


def as_json(value: object) -> str:
    """Return a value as the text of a jsonb parameter."""
    return json.dumps(value)


def _object(found: Any) -> dict[str, Any]:
    read = json.loads(found) if isinstance(found, str) else found
    return read or {}


def _number(found: Any) -> float | None:
    read = json.loads(found) if isinstance(found, str) else found
    return float(read) if isinstance(read, int | float) and not isinstance(read, bool) else None


def _whole(found: Any) -> int | None:
    read = _number(found)
    return int(read) if read is not None else None
