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

    @property
    def stream(self) -> tuple[str, str]:
        """Return the name of the use case's stream of events."""
        return "use_case", str(self.pk)


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


class Delegation(models.Model):
    """A person is away from `since` until `until`; a deputy acts for them as one persona.

    Without a deputy (and then without a persona) it says only that the person is away. Without a
    use case it holds for every seat of that persona.
    """

    giver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations")
    deputy = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="deputyships"
    )
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, null=True, related_name="+")
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, null=True, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=BatonNow())
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("since", "id")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("since")), name="delegation_dates"
            ),
            models.CheckConstraint(
                condition=models.Q(deputy=None) | ~models.Q(deputy=models.F("giver")),
                name="delegation_to_another",
            ),
            models.CheckConstraint(
                condition=models.Q(deputy=None, persona=None)
                | models.Q(deputy__isnull=False, persona__isnull=False),
                name="delegation_of_a_persona",
            ),
        )
        indexes = (
            models.Index(fields=("deputy", "until"), name="delegation_deputy"),
            models.Index(fields=("giver", "until"), name="delegation_giver"),
        )
        triggers = (
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="ended_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False),
            ),
            pgtrigger.Protect(
                name="immutable_delegation",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "giver",
                    "deputy",
                    "persona",
                    "use_case",
                    "since",
                    "until",
                    "reason",
                    "created_by",
                ),
            ),
        )

    def __str__(self) -> str:
        if self.deputy_id is None:
            return f"{self.giver} is away"
        return f"{self.deputy} for {self.giver} as {self.persona_id}"


class SavedView(models.Model):
    """A look at a list that a person keeps under a name: the page's query, nobody else's affair."""

    PAGES = ("board", "portfolio")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=12, choices=[(page, page) for page in PAGES])
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500, blank=True)
    saved_at = models.DateTimeField(db_default=BatonNow())

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=("user", "page", "name"), name="one_view_of_a_name"),
        )

    def __str__(self) -> str:
        return self.name


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
