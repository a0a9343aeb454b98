"""Workers that are alive, or were a day ago."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from personas.models import BatonNow


class WorkerPresence(models.Model):
    """One start of a worker: which queues it serves, which operations it knows, when last heard."""

    incarnation = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=80)
    queues = ArrayField(models.CharField(max_length=20), default=list)
    operations = ArrayField(models.CharField(max_length=80), default=list)
    # What packages bring there, usable or not, and what holds their operations back.
    packages = models.JSONField(default=list, db_default=[])
    enforces = models.JSONField(default=dict, db_default={})
    lanes = models.PositiveSmallIntegerField(default=1)
    began_at = models.DateTimeField(db_default=BatonNow())
    seen_at = models.DateTimeField(db_default=BatonNow())
    alive_until = models.DateTimeField(db_default=BatonNow())
    left_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-seen_at",)
        indexes = (models.Index(fields=("seen_at",), name="worker_seen"),)

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.queues)})"
