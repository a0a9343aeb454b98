"""Steps and their attempts."""

from django.db import models

from personas.models import BatonNow, User
from pipelines.lifecycles import ATTEMPT, STEP
from pipelines.runs.models.runs import Run
from pipelines.runs.models.stages import Stage
from pipelines.runs.models.states import final_rows_stay, known_state, state_field


class Step(models.Model):
    """One operation in one stage's round (or of a hand-off's contract).

    A contract that is computed again has new steps; those of before are not `current`.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="steps")
    hand_off = models.ForeignKey(
        "HandOff", on_delete=models.CASCADE, null=True, related_name="steps"
    )
    key = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField()
    operation = models.CharField(max_length=80)
    state = state_field(STEP)
    tries = models.PositiveSmallIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    refuse_cache = models.BooleanField(default=False)
    current = models.BooleanField(default=True, db_default=True)
    overrides = models.JSONField(default=dict)
    edited_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    result = models.ForeignKey("Attempt", on_delete=models.PROTECT, null=True, related_name="+")
    retry_at = models.DateTimeField(null=True)
    waiting_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=BatonNow())

    class Meta:
        ordering = ("stage__position", "position")
        constraints = (
            known_state(STEP, "step"),
            models.UniqueConstraint(
                fields=("stage", "hand_off", "key"),
                condition=models.Q(current=True),
                nulls_distinct=False,
                name="one_step",
            ),
        )
        indexes = (
            models.Index(
                fields=("retry_at",), condition=models.Q(state="RETRY_WAIT"), name="step_retry"
            ),
            models.Index(
                fields=("run",), condition=models.Q(operation="frame_value"), name="step_framing"
            ),
        )

    def __str__(self) -> str:
        return self.key


class Attempt(models.Model):
    """One try of a step; append-only but for its own life under its fencing token."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="attempts")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    state = state_field(ATTEMPT)
    operation = models.CharField(max_length=80)
    operation_version = models.PositiveSmallIntegerField(default=1)
    queue = models.CharField(max_length=20, default="cpu")
    priority = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField()
    params = models.JSONField(default=dict)
    inputs = models.JSONField(default=dict)
    seed = models.PositiveBigIntegerField(default=0)
    # Whose code the operation is: distribution, version, digest; empty of Baton's own.
    package = models.JSONField(default=dict, db_default={})
    cache_key = models.CharField(max_length=64, blank=True)
    cached_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    owner = models.UUIDField(null=True)
    worker = models.CharField(max_length=80, blank=True)
    token = models.PositiveIntegerField(default=0)
    deliveries = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    poked_at = models.DateTimeField(null=True)
    progress = models.FloatField(null=True)
    progress_text = models.CharField(max_length=200, blank=True)
    progress_rows = models.BigIntegerField(null=True)
    progress_at = models.DateTimeField(null=True)
    outputs = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    error = models.JSONField(default=dict)
    usage = models.JSONField(default=dict)
    log = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=BatonNow())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            known_state(ATTEMPT, "attempt"),
            models.UniqueConstraint(fields=("step", "number"), name="one_attempt_number"),
            models.UniqueConstraint(
                fields=("step",),
                condition=models.Q(state__in=("QUEUED", "RUNNING")),
                name="one_open_attempt",
            ),
            models.UniqueConstraint(
                fields=("step",), condition=models.Q(state="SUCCEEDED"), name="one_success"
            ),
        )
        indexes = (
            models.Index(
                "queue",
                models.F("priority").desc(),
                "due_at",
                "id",
                condition=models.Q(state="QUEUED"),
                name="attempt_claim",
            ),
            models.Index(
                fields=("lease_until",), condition=models.Q(state="RUNNING"), name="attempt_lease"
            ),
            models.Index(
                fields=("cache_key",),
                condition=models.Q(state="SUCCEEDED", cached_from=None),
                name="attempt_cache",
            ),
        )
        triggers = (final_rows_stay(ATTEMPT),)

    def __str__(self) -> str:
        return f"{self.operation} attempt {self.number}"
