"""Reminders: how much of a deadline's working time is over."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from personas.models import BatonNow
from pipelines.runs.models.runs import Run


class Reminder(models.Model):
    """One threshold (50, 80 or 100 %) of one deadline: told once, or dropped when it is moot.

    `noun` and `subject_id` name a stage, gate, hand-off or work item; `personas` those in whose
    business calendars it is counted (the one that takes longest decides).
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="reminders")
    noun = models.CharField(max_length=12)
    subject_id = models.BigIntegerField()
    personas = ArrayField(models.CharField(max_length=8), default=list)
    percent = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=BatonNow())
    told_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("at", "percent")
        constraints = (
            models.UniqueConstraint(
                fields=("noun", "subject_id", "percent"), name="one_reminder_per_threshold"
            ),
            models.CheckConstraint(
                condition=models.Q(percent__in=(50, 80, 100)), name="reminder_percent_known"
            ),
        )
        indexes = (
            models.Index(
                fields=("at",),
                condition=models.Q(told_at=None, dropped_at=None),
                name="reminder_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.percent} % of the time of {self.noun} {self.subject_id}"
