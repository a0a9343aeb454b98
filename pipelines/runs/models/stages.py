"""Stages: a persona-owned part of a run, per round."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from personas.models import BatonNow, Persona, User
from pipelines.lifecycles import STAGE
from pipelines.runs.models.runs import Run
from pipelines.runs.models.states import final_rows_stay, known_state, state_field


class Stage(models.Model):
    """One round of a stage; a send-back makes a new row, it never rewrites this one."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="stages")
    key = models.CharField(max_length=60)
    round = models.PositiveSmallIntegerField(default=1)
    current = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField()
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    state = state_field(STAGE)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    # Who owned it while it computed, or changed its parameters: what they did stays theirs.
    author_ids = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=models.Value([], ArrayField(models.BigIntegerField())),
    )
    returned_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    return_reason = models.TextField(blank=True)
    return_code = models.CharField(max_length=40, blank=True)
    refuse_cache = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=BatonNow())
    activated_at = models.DateTimeField(null=True)
    owned_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("position", "round")
        constraints = (
            known_state(STAGE, "stage"),
            models.UniqueConstraint(fields=("run", "key", "round"), name="one_round"),
            models.UniqueConstraint(
                fields=("run", "key"), condition=models.Q(current=True), name="one_current_round"
            ),
        )
        indexes = (
            models.Index(fields=("persona", "state"), name="stage_persona_state"),
            models.Index(fields=("owner", "state"), name="stage_owner_state"),
            models.Index(
                fields=("finished_at",),
                condition=models.Q(activated_at__isnull=False),
                name="stage_ended",
            ),
            models.Index(
                fields=("activated_at",),
                condition=~models.Q(return_code=""),
                name="stage_sent_back",
            ),
        )
        triggers = (final_rows_stay(STAGE),)

    def __str__(self) -> str:
        return f"{self.key} round {self.round}"
