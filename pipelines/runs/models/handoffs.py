"""Hand-offs: a stage's result passing to the next persona."""

from django.db import models

from personas.models import BatonNow, User
from pipelines.lifecycles import HAND_OFF
from pipelines.runs.models.runs import Run
from pipelines.runs.models.stages import Stage
from pipelines.runs.models.states import final_rows_stay, known_state, state_field


class HandOff(models.Model):
    """The transfer of accountability from a DONE stage to the next one."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="hand_offs")
    source = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="given")
    target = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="received")
    state = state_field(HAND_OFF)
    code = models.CharField(max_length=8, blank=True)
    package = models.JSONField(default=dict)
    checklist = models.JSONField(default=dict)
    note = models.TextField(blank=True)
    gap = models.SmallIntegerField(default=0, help_text="expertise gap, points")
    created_at = models.DateTimeField(db_default=BatonNow())
    offered_at = models.DateTimeField(null=True)
    offered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    due_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    answered_for = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    return_code = models.CharField(max_length=40, blank=True)
    return_reason = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            known_state(HAND_OFF, "handoff"),
            models.UniqueConstraint(
                fields=("run", "source", "target"),
                condition=models.Q(state__in=("PREPARING", "OFFERED", "ESCALATED")),
                name="one_open_hand_off",
            ),
        )
        indexes = (
            models.Index(fields=("answered_by", "answered_at"), name="handoff_answered_by"),
            models.Index(
                fields=("answered_at",),
                condition=models.Q(offered_at__isnull=False),
                name="handoff_ended",
            ),
        )
        triggers = (final_rows_stay(HAND_OFF),)

    def __str__(self) -> str:
        return f"{self.source} to {self.target}"
