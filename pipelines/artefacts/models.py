"""Artefacts: immutable content known by its SHA-256; connections to where more comes from."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from personas.models import BatonNow, User
from pipelines.operations.fetch.address import KINDS


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


class Connection(models.Model):
    """A way to data outside: DevOps holds it, runs use it by name, its secret is elsewhere."""

    name = models.CharField(max_length=40, primary_key=True)
    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in KINDS])
    address = models.CharField(max_length=500)
    # The secret itself is never in the database: only the name of the worker's variable is.
    secret_name = models.CharField(max_length=80, blank=True)
    use_cases = ArrayField(models.CharField(max_length=80), default=list, db_default=[])
    changed_at = models.DateTimeField(db_default=BatonNow())

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(kind__in=KINDS), name="connection_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(secret_name="")
                | models.Q(secret_name__startswith="BATON_CONNECTION_SECRET_"),  # noqa: S106 - a prefix
                name="connection_secret_named",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def serves(self, use_case: str) -> bool:
        """Whether runs of that use case may read through it."""
        return "*" in self.use_cases or use_case in self.use_cases
