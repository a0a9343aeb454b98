"""When the reader last looked at the reviews of a stage, with the clock it is measured by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from personas.models import User
from pipelines.runs.models import Gate
from pipelines.runs.talk import VISIT

LOOKS = """
SELECT baton_now(), l.gate_id, l.at, l.before_at
  FROM (SELECT 1) AS one LEFT JOIN runs_look l
    ON l.user_id = %s AND l.run_id = %s AND l.stage_key = %s AND l.gate_id <= %s
 ORDER BY l.at"""


@dataclass(frozen=True)
class Looked:
    """`since`: the visit before this one to this gate; `gate`: the earlier one looked at last."""

    now: datetime
    since: datetime | None
    gate: int | None

    @property
    def before(self) -> bool:
        """Whether the reader has looked at this stage's evidence before this visit."""
        return self.since is not None or self.gate is not None


def looked_at(user: User, gate: Gate) -> Looked:
    """Return the reader's looks at this gate and those before it; one query."""
    with connection.cursor() as cursor:
        cursor.execute(LOOKS, [user.pk, gate.run_id, gate.stage.key, gate.pk])
        rows = cursor.fetchall()
    now: datetime = rows[0][0]
    looks: Mapping[int, tuple[datetime, datetime | None]] = {
        row[1]: (row[2], row[3]) for row in rows if row[1] is not None
    }
    at, before = looks.get(gate.pk, (None, None))
    earlier = [pk for pk in looks if pk != gate.pk]
    since = before if at is not None and now - at < VISIT else at
    return Looked(now, since, earlier[-1] if earlier else None)
