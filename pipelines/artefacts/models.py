"""Artefacts: immutable content known by its SHA-256."""

import pgtrigger
from django.db import models

from personas.models import BatonNow, User


class Artefact(models.Model):
    """Content that is in storage under its digest; the row is written after the file."""

    digest = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField(help_text="bytes")
    media = models.CharField(max_length=12)
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=BatonNow())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers = (
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.name or self.media} {self.digest[:12]}"


class Inspection(models.Model):
    """What an operation's version found in an upload; content never changes, so it is kept."""

    artefact = models.ForeignKey(Artefact, on_delete=models.CASCADE, related_name="inspections")
    operation_version = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    found = models.JSONField()
    at = models.DateTimeField(db_default=BatonNow())

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("artefact", "operation_version", "name"), name="one_inspection"
            ),
        )

    def __str__(self) -> str:
        return f"inspection of {self.artefact_id[:12]}"
