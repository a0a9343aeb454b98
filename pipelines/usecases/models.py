"""Use cases, the seats people take on them, and the blueprints runs follow."""

import pgtrigger
from django.db import models

from personas.models import BatonNow, Persona, User


class UseCase(models.Model):
    """A business question that is worked on, in runs."""

    key = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=160)
    question = models.TextField(blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=BatonNow())
    retired_at = models.DateTimeField(null=True)
    blueprint = models.ForeignKey("Blueprint", on_delete=models.PROTECT, null=True)
    parameters = models.JSONField(default=dict, blank=True)
    inputs = models.JSONField(default=dict, blank=True)
    draft = models.BooleanField(default=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.title


class Seat(models.Model):
    """A person acting as a persona on one use case, from `since` until `until`."""

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="seats")
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="seats")
    since = models.DateTimeField(db_default=BatonNow())
    until = models.DateTimeField(null=True)

    class Meta:
        ordering = ("persona__lane", "user__name")
        constraints = (
            models.UniqueConstraint(
                fields=("use_case", "persona", "user"),
                condition=models.Q(until=None),
                name="one_open_seat",
            ),
        )
        indexes = (models.Index(fields=("user", "use_case"), name="seat_user"),)

    def __str__(self) -> str:
        return f"{self.user} as {self.persona_id}"


class Blueprint(models.Model):
    """The plan of a kind of use case; its versions hold the plan itself."""

    key = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, default="main")

    def __str__(self) -> str:
        return self.title


class BlueprintVersion(models.Model):
    """One immutable version: canonical JSON, known by its SHA-256."""

    blueprint = models.ForeignKey(Blueprint, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, unique=True)
    body = models.JSONField()
    state = models.CharField(
        max_length=10,
        default="published",
        choices=[(s, s) for s in ("draft", "published", "retired")],
    )
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("blueprint", "-number")
        constraints = (
            models.UniqueConstraint(fields=("blueprint", "number"), name="one_version_number"),
            models.UniqueConstraint(
                fields=("blueprint",),
                condition=models.Q(state="published"),
                name="one_published_version",
            ),
        )
        triggers = (
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="immutable_body",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("body", "digest", "number", "blueprint"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.blueprint_id} v{self.number}"
