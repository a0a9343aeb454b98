"""Runs: one pass of a use case through a blueprint version."""

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models

from personas.models import BatonNow, User
from pipelines.lifecycles import RUN
from pipelines.runs.models.states import final_rows_stay, known_state, state_field
from pipelines.usecases.models import BlueprintVersion, UseCase

# Part of the statement that appends to a run's stream (ledger.follow): whatever records an event
# moves the run. One that ended was given its time with its last change, and stays.
MOVED: Final = (
    "UPDATE runs_run SET moved_at = %s WHERE id = %s::bigint"  # noqa: S608 - names of states
    f" AND state NOT IN ({', '.join(repr(state) for state in sorted(RUN.final))})"
)


class Run(models.Model):
    """One pass of a use case through a blueprint version; all its commands lock this row."""

    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, related_name="runs")
    kind = models.CharField(max_length=8, default="main")
    number = models.PositiveIntegerField()
    version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="runs")
    state = state_field(RUN)
    parameters = models.JSONField(default=dict)
    inputs = models.JSONField(default=dict)
    seed = models.PositiveBigIntegerField(default=2013)
    trigger = models.JSONField(default=dict)
    restarted_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=BatonNow())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    has_help = models.BooleanField(default=False, db_default=False)
    cancel_asked_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(db_default=BatonNow())
    # The versions it was on before it moved, oldest first: its history is read with them.
    earlier_version_ids = ArrayField(models.BigIntegerField(), default=list, db_default=[])

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            known_state(RUN, "run"),
            models.UniqueConstraint(fields=("use_case", "kind", "number"), name="one_run_number"),
        )
        # Without `moved_at`: every command sets it, and an index on it would grow with each.
        indexes = (
            models.Index(fields=("state",), name="run_state"),
            models.Index(
                fields=("finished_at",),
                condition=models.Q(kind="main", started_at__isnull=False),
                name="run_ended",
            ),
        )
        triggers = (final_rows_stay(RUN),)

    def __str__(self) -> str:
        return f"{self.use_case.title}, {self.label}"

    @property
    def label(self) -> str:
        """Return the run's short name: watch runs are numbered apart."""
        return f"{'Watch' if self.kind == 'watch' else 'Run'} {self.number}"

    @property
    def stream(self) -> tuple[str, str]:
        """Return the name of the run's stream of events."""
        return "run", str(self.pk)
