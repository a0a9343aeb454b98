"""Alerts: monitoring results that ask for a response."""

from django.db import models

from personas.models import BatonNow, Persona, User
from pipelines.lifecycles import ALERT
from pipelines.registry.models import Model, ModelVersion
from pipelines.runs.models import Run
from pipelines.runs.models.states import final_rows_stay, known_state, state_field


class Alert(models.Model):
    """One cause found by one run, with its evidence, the persona that owns it, and the answer."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="alerts")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    cause = models.CharField(max_length=40)
    severity = models.CharField(max_length=8, choices=[(s, s) for s in ("amber", "red")])
    text = models.CharField(max_length=300)
    evidence = models.JSONField(default=dict)
    state = state_field(ALERT)
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    raised_by = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="alerts")
    opened_run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="answers")
    raised_at = models.DateTimeField(db_default=BatonNow())
    acknowledged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    resolution = models.TextField(blank=True)

    class Meta:
        ordering = ("-raised_at", "-id")
        constraints = (
            known_state(ALERT, "alert"),
            models.UniqueConstraint(
                fields=("raised_by", "cause", "text"), name="one_alert_of_a_run"
            ),
        )
        indexes = (models.Index(fields=("model", "state"), name="alert_model_state"),)
        triggers = (final_rows_stay(ALERT),)

    def __str__(self) -> str:
        return f"{self.severity}: {self.text}"
