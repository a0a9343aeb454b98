"""Gates, the checks they rest on, and the decisions people take in them."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from personas.models import BatonNow, User
from pipelines.lifecycles import DECISION, GATE
from pipelines.runs.models.handoffs import HandOff
from pipelines.runs.models.runs import Run
from pipelines.runs.models.stages import Stage
from pipelines.runs.models.states import final_rows_stay, known_state, state_field


class Gate(models.Model):
    """The review of a stage's round, bound to the digest of exactly what was shown."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="gates")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="gates")
    state = state_field(GATE)
    subject_digest = models.CharField(max_length=64)
    pack = models.JSONField(default=dict)
    policy = models.JSONField(default=dict)
    author_ids = ArrayField(models.BigIntegerField(), default=list)
    opened_at = models.DateTimeField(db_default=BatonNow())
    due_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    escalations = models.PositiveSmallIntegerField(default=0)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    closing_reason = models.TextField(blank=True)
    overridden = models.BooleanField(default=False)
    blind_until = models.DateTimeField(null=True)
    revealed_at = models.DateTimeField(null=True)
    tally_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            known_state(GATE, "gate"),
            models.UniqueConstraint(
                fields=("stage",), condition=models.Q(state="OPEN"), name="one_open_gate"
            ),
        )
        indexes = (
            models.Index(
                fields=("expires_at",), condition=models.Q(state="OPEN"), name="gate_open_expiry"
            ),
            models.Index(
                fields=("blind_until", "tally_at"),
                condition=models.Q(state="OPEN", blind_until__isnull=False),
                name="gate_open_blind",
            ),
            models.Index(fields=("closed_at",), name="gate_ended"),
        )
        triggers = (final_rows_stay(GATE),)

    def __str__(self) -> str:
        return f"gate of {self.stage}"

    @property
    def sealed(self) -> bool:
        """Whether everybody sees their own decision alone: blind, and not revealed yet."""
        return bool(self.policy.get("blind")) and self.state == "OPEN" and not self.revealed_at


class Check(models.Model):
    """A computed result against a threshold, for a gate or for a hand-off's contract."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="checks")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="checks")
    gate = models.ForeignKey(Gate, on_delete=models.CASCADE, null=True, related_name="checks")
    hand_off = models.ForeignKey(
        HandOff, on_delete=models.CASCADE, null=True, related_name="checks"
    )
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    blocking = models.BooleanField(default=True)
    verdict = models.CharField(
        max_length=12, choices=[(v, v) for v in ("pass", "fail", "insufficient")]
    )
    result = models.JSONField(default=dict)
    judged_at = models.DateTimeField(db_default=BatonNow())
    waived_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    waived_until = models.DateTimeField(null=True)
    waiver_reason = models.TextField(blank=True)

    class Meta:
        ordering = ("gate", "position")
        constraints = (models.UniqueConstraint(fields=("gate", "name"), name="one_check_per_gate"),)

    def __str__(self) -> str:
        return self.name

    @property
    def blocks(self) -> bool:
        """Whether approval is refused while this check stands (a waiver's end is the caller's)."""
        return self.blocking and self.verdict != "pass" and self.waived_by_id is None


class Decision(models.Model):
    """One person's immutable verdict with its reason, on the digest that was shown.

    `on_behalf_of` is the person whose seat the decider was lent; `conditions` are what an approval
    asks for, and become findings when the gate approves; `confirmed_at` is set in a blind gate
    once the person has seen the others' verdicts and stays with theirs.
    """

    gate = models.ForeignKey(Gate, on_delete=models.CASCADE, related_name="decisions")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="decisions")
    personas = models.JSONField(default=list)
    state = state_field(DECISION)
    verdict = models.CharField(max_length=24)
    reason = models.TextField(blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    target = models.CharField(max_length=60, blank=True)
    subject_digest = models.CharField(max_length=64)
    command = models.UUIDField()
    at = models.DateTimeField()
    carried_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True)
    on_behalf_of = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    conditions = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("at", "id")
        constraints = (
            known_state(DECISION, "decision"),
            models.UniqueConstraint(
                fields=("gate", "user"),
                condition=models.Q(state="IN_FORCE"),
                name="one_decision_in_force",
            ),
            models.UniqueConstraint(
                fields=("gate", "on_behalf_of"),
                condition=models.Q(state="IN_FORCE", on_behalf_of__isnull=False),
                name="one_decision_for_another",
            ),
            models.CheckConstraint(
                condition=models.Q(on_behalf_of=None) | ~models.Q(on_behalf_of=models.F("user")),
                name="decision_for_another",
            ),
        )
        triggers = (
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="immutable_verdict",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "gate",
                    "user",
                    "verdict",
                    "reason",
                    "reason_code",
                    "target",
                    "subject_digest",
                    "at",
                    "command",
                    "on_behalf_of",
                    "conditions",
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.who}: {self.verdict}"

    @property
    def who(self) -> str:
        """Both names where one person decided in another's place."""
        return f"{self.user} for {self.on_behalf_of}" if self.on_behalf_of_id else str(self.user)

    @property
    def principals(self) -> frozenset[int]:
        """The ids of everybody whose decision this is: the person, and who they acted for."""
        both = (self.user_id, self.on_behalf_of_id)
        return frozenset(pk for pk in both if pk is not None)
