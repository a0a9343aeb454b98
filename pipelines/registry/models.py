"""Models, their versions, the aliases that point to them, and what is deployed."""

import pgtrigger
from django.db import models

from personas.models import APPEND_ONLY, BatonNow, User
from pipelines.artefacts.models import Artefact
from pipelines.lifecycles import MODEL_VERSION
from pipelines.runs.models import Gate, Run
from pipelines.runs.models.states import final_rows_stay, known_state, state_field
from pipelines.usecases.models import UseCase

SHADOW, CANARY, LIVE = "shadow", "canary", "live"
MODES = (SHADOW, CANARY, LIVE)


class Model(models.Model):
    """A registered model: the name under which a use case's versions are served."""

    name = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=160)
    use_case = models.OneToOneField(UseCase, on_delete=models.PROTECT, related_name="model")
    fallback = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=BatonNow())

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def stream(self) -> tuple[str, str]:
        """Return the name of the model's stream of events."""
        return "model", str(self.pk)


class ModelVersion(models.Model):
    """One trained artefact with its lineage; deployed only while APPROVED.

    What is deployed goes on answering when its approval lapses: an alert says so.
    """

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = state_field(MODEL_VERSION)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="model_versions")
    package = models.ForeignKey(Artefact, on_delete=models.PROTECT, related_name="+")
    sources = models.JSONField(default=dict, help_text="digests by name: train, holdout, card, ...")
    facts = models.JSONField(default=dict)
    approval = models.ForeignKey(Gate, on_delete=models.PROTECT, null=True, related_name="+")
    registered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    registered_at = models.DateTimeField(db_default=BatonNow())
    approved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("model", "-number")
        constraints = (
            known_state(MODEL_VERSION, "model_version"),
            models.UniqueConstraint(fields=("model", "number"), name="one_model_version_number"),
            models.UniqueConstraint(fields=("run", "package"), name="one_version_of_a_package"),
            models.CheckConstraint(
                condition=~models.Q(state="APPROVED") | models.Q(approval__isnull=False),
                name="approved_by_a_gate",
            ),
        )
        triggers = (
            final_rows_stay(MODEL_VERSION),
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="immutable_content",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "model", "number", "run", "package", "sources", "facts"
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.model} v{self.number}"


class Deployment(models.Model):
    """A version made to answer: in shadow, for a share of the callers, or for all."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="deployments")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="deployments")
    mode = models.CharField(max_length=8, choices=[(mode, mode) for mode in MODES])
    share = models.FloatField(default=1.0)
    approval = models.ForeignKey(Gate, on_delete=models.PROTECT, null=True, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="deployments")
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-started_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("model", "mode"),
                condition=models.Q(ended_at=None),
                name="one_open_deployment_of_a_mode",
            ),
            models.CheckConstraint(
                condition=models.Q(share__gt=0, share__lte=1), name="deployment_share"
            ),
        )
        indexes = (models.Index(fields=("model", "started_at"), name="deployment_when"),)
        triggers = (
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="ended_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.version} {self.mode}"


class Alias(models.Model):
    """A name that points to a version of its model now."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="aliases")
    name = models.SlugField(max_length=40)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")

    class Meta:
        ordering = ("model", "name")
        constraints = (models.UniqueConstraint(fields=("model", "name"), name="one_alias"),)

    def __str__(self) -> str:
        return f"{self.model}@{self.name}"


class AliasMove(models.Model):
    """The history of an alias: what it pointed to from when on (None: to nothing any more)."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="alias_moves")
    name = models.SlugField(max_length=40)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("model", "name", "-at", "-id")
        triggers = (APPEND_ONLY,)

    def __str__(self) -> str:
        return f"{self.model}@{self.name} from {self.at:%Y-%m-%d %H:%M}"
