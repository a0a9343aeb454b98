"""What was answered, and what came out."""

import pgtrigger
from django.db import models
from django.db.models.functions import Coalesce

from personas.models import APPEND_ONLY, BatonNow, User
from pipelines.registry.models import Deployment, Model, ModelVersion


class Prediction(models.Model):
    """One row that was answered (or scored in shadow); written in batches, never changed.

    `version` and `deployment` are None where the fallback answered.
    """

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, null=True, related_name="predictions"
    )
    mode = models.CharField(max_length=8)
    served_by = models.CharField(max_length=8)
    key = models.CharField(max_length=120)
    event_time = models.DateTimeField(null=True)
    inputs = models.JSONField(default=dict)
    score = models.FloatField(null=True)
    label = models.JSONField(null=True)
    # of several classes: by class as text, so that outcomes can be scored when they come in
    probabilities = models.JSONField(null=True)
    failed = models.BooleanField(default=False)
    latency = models.FloatField(null=True, help_text="seconds in the server, shared by a request")
    request = models.UUIDField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=BatonNow())

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=("deployment", "id"), name="prediction_deployment"),
            models.Index(fields=("model", "key"), name="prediction_key"),
            models.Index("model", Coalesce("event_time", "at"), name="prediction_when"),
        )
        triggers = (APPEND_ONLY,)

    def __str__(self) -> str:
        return f"{self.key} {self.mode}"


class Label(models.Model):
    """The outcome of a row, told once; a second telling may repeat it, never change it."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="labels")
    key = models.CharField(max_length=120)
    value = models.CharField(max_length=120)
    observed_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(db_default=BatonNow())
    received_from = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("model", "key"), name="one_label"),)
        triggers = (
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"
