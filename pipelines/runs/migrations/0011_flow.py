"""Indexes for the figures of flow: what is open or ended lately, what came back, what was framed.

What is open ends at infinity, so both are one end of one index. Django's own index expressions
know no infinite time.
"""

from django.db import migrations

ENDED = "CREATE INDEX {name} ON {table} (coalesce({column}, 'infinity'::timestamptz)) {where}"
INDEXES = {
    "stage_ended": ENDED.format(
        name="stage_ended",
        table="runs_stage",
        column="finished_at",
        where="WHERE activated_at IS NOT NULL",
    ),
    "handoff_ended": ENDED.format(
        name="handoff_ended",
        table="runs_handoff",
        column="answered_at",
        where="WHERE offered_at IS NOT NULL",
    ),
    "gate_ended": ENDED.format(name="gate_ended", table="runs_gate", column="closed_at", where=""),
    "run_ended": ENDED.format(
        name="run_ended",
        table="runs_run",
        column="finished_at",
        where="WHERE kind = 'main' AND started_at IS NOT NULL",
    ),
    "stage_sent_back": (
        "CREATE INDEX stage_sent_back ON runs_stage (activated_at) WHERE return_code <> ''"
    ),
    "step_framing": (
        "CREATE INDEX step_framing ON runs_step (run_id) WHERE operation = 'frame_value'"
    ),
}


class Migration(migrations.Migration):
    """Six indexes."""

    dependencies = [("runs", "0010_brought_operations")]

    operations = [migrations.RunSQL(sql, f"DROP INDEX {name}") for name, sql in INDEXES.items()]
