"""Statements that people sign, the score over time, and when each use case was looked at last."""

import pgtrigger
from django.db import models

from personas.models import APPEND_ONLY, BatonNow, Persona, User
from pipelines.lifecycles import ATTESTATION
from pipelines.runs.models import Run
from pipelines.runs.models.states import final_rows_stay, known_state, state_field
from pipelines.usecases.models import UseCase


class Attestation(models.Model):
    """One person's signed statement on a test that is not computed, bound to what it speaks of.

    `digests`: the content by name that it was signed for, of `run`; it is void once one of them is
    no longer the use case's. `evidence`: links and digests the signer names. `ended_reason`: why it
    stands no more.
    """

    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, related_name="attestations")
    test = models.CharField(max_length=8)
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="attestations")
    statement = models.TextField()
    evidence = models.JSONField(default=list)
    digests = models.JSONField()
    subject_digest = models.CharField(max_length=64)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    state = state_field(ATTESTATION)
    signed_at = models.DateTimeField(db_default=BatonNow())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ended_reason = models.TextField(blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            known_state(ATTESTATION, "attestation"),
            models.UniqueConstraint(
                fields=("use_case", "test", "persona"),
                condition=models.Q(state="STANDING"),
                name="one_standing_attestation",
            ),
            models.CheckConstraint(
                condition=~models.Q(statement=""), name="attestation_says_something"
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("signed_at")), name="attestation_dates"
            ),
        )
        indexes = (
            models.Index(
                fields=("expires_at",),
                condition=models.Q(state="STANDING"),
                name="attestation_expiry",
            ),
        )
        triggers = (
            final_rows_stay(ATTESTATION),
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="immutable_statement",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "use_case",
                    "test",
                    "persona",
                    "user",
                    "statement",
                    "evidence",
                    "digests",
                    "subject_digest",
                    "run",
                    "signed_at",
                    "expires_at",
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.test} by {self.user} as {self.persona_id}"


class Point(models.Model):
    """The Test Score from `at` on: written when the points of any test have changed.

    `points`: by test. `changes`: the tests that changed, from what to what, and by which evidence.
    """

    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, related_name="readiness_points")
    at = models.DateTimeField()
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    score = models.FloatField()
    sections = models.JSONField()
    points = models.JSONField()
    changes = models.JSONField(default=list)

    class Meta:
        ordering = ("use_case", "id")
        indexes = (models.Index(fields=("use_case", "id"), name="point_use_case"),)
        triggers = (APPEND_ONLY,)

    def __str__(self) -> str:
        return f"{self.score:g} at {self.at:%Y-%m-%d %H:%M}"


class Look(models.Model):
    """When the readiness of a use case was computed last; its lock is what all changes wait for."""

    use_case = models.OneToOneField(UseCase, on_delete=models.PROTECT, primary_key=True)
    looked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("looked_at",), name="look_when"),)

    def __str__(self) -> str:
        return f"look at {self.use_case_id}"
