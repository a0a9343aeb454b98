"""Work items: what a person has to do in a stage."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from personas.models import BatonNow, Persona, User
from pipelines.lifecycles import WORK_ITEM
from pipelines.runs.models.runs import Run
from pipelines.runs.models.stages import Stage
from pipelines.runs.models.states import final_rows_stay, known_state, state_field


class WorkItem(models.Model):
    """A form to fill in, a statement to sign, or something that needs a person's attention.

    `kind` is one of form, attestation, review (from the blueprint), attention (from the engine), or
    help (`asked_by` somebody of another persona). `delegated_by` stays accountable for it.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="items")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="items")
    hand_off = models.ForeignKey(
        "HandOff", on_delete=models.CASCADE, null=True, related_name="items"
    )
    key = models.CharField(max_length=60)
    kind = models.CharField(max_length=16)
    title = models.CharField(max_length=200)
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    candidates = ArrayField(models.CharField(max_length=8), default=list)
    state = state_field(WORK_ITEM)
    holder = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="items")
    delegated_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    asked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    completed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    completed_for = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1)
    draft = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    data_digest = models.CharField(max_length=64, blank=True)
    context = models.JSONField(default=dict)
    opened_at = models.DateTimeField(db_default=BatonNow())
    claimed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    follow_up_at = models.DateTimeField(null=True)
    hold_reason = models.TextField(blank=True, default="", db_default="")
    escalations = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ("stage__position", "id")
        constraints = (
            known_state(WORK_ITEM, "item"),
            models.UniqueConstraint(
                fields=("stage", "hand_off", "key"),
                condition=~models.Q(kind="attention"),
                nulls_distinct=False,
                name="one_item",
            ),
        )
        indexes = (
            models.Index(fields=("persona", "state"), name="item_persona_state"),
            models.Index(fields=("holder", "state"), name="item_holder_state"),
            models.Index(fields=("completed_by", "closed_at"), name="item_completed_by"),
            models.Index(fields=("asked_by",), condition=models.Q(kind="help"), name="item_asker"),
            models.Index(
                fields=("follow_up_at",),
                condition=models.Q(state="ON_HOLD"),
                name="item_follow_up",
            ),
        )
        triggers = (final_rows_stay(WORK_ITEM),)

    def __str__(self) -> str:
        return self.title
