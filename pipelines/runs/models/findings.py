"""Findings, which an approval is given under, and overrides, which close a gate by force."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from personas.models import BatonNow, Persona, User
from pipelines.lifecycles import FINDING
from pipelines.runs.models.gates import Decision, Gate
from pipelines.runs.models.runs import Run
from pipelines.runs.models.states import final_rows_stay, known_state, state_field

SEVERITIES = ("minor", "major", "critical")


class Finding(models.Model):
    """A condition put on an approval: resolved with evidence in time, or the approval lapses.

    `gate` is the gate whose approval rests on it; `decision` the one that named it.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="findings")
    gate = models.ForeignKey(Gate, on_delete=models.CASCADE, related_name="findings")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="findings")
    position = models.PositiveSmallIntegerField(default=0)
    text = models.TextField()
    severity = models.CharField(max_length=10, choices=[(s, s) for s in SEVERITIES])
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="+")
    state = state_field(FINDING)
    opened_at = models.DateTimeField(db_default=BatonNow())
    due_at = models.DateTimeField()
    extensions = models.PositiveSmallIntegerField(default=0)
    evidence = models.TextField(blank=True)
    artefacts = ArrayField(models.CharField(max_length=64), default=list)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    resolved_for = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("due_at", "id")
        constraints = (
            known_state(FINDING, "finding"),
            models.UniqueConstraint(fields=("decision", "position"), name="one_finding"),
            models.CheckConstraint(
                condition=~models.Q(state="RESOLVED")
                | (models.Q(resolved_by__isnull=False) & ~models.Q(evidence="")),
                name="finding_resolved_with_evidence",
            ),
        )
        indexes = (
            models.Index(
                fields=("due_at",), condition=models.Q(state="OPEN"), name="finding_open_due"
            ),
            models.Index(fields=("run", "state"), name="finding_run_state"),
        )
        triggers = (
            final_rows_stay(FINDING),
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="immutable_condition",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "run", "decision", "position", "text", "severity", "persona", "opened_at"
                ),
            ),
        )

    def __str__(self) -> str:
        return self.text if len(self.text) <= 80 else f"{self.text[:77]}..."


class Override(models.Model):
    """A gate closed against its rules, by name and with a reason; where two are asked, by both."""

    gate = models.OneToOneField(Gate, on_delete=models.CASCADE, related_name="override")
    verdict = models.CharField(max_length=8, choices=[(v, v) for v in ("approve", "reject")])
    reason = models.TextField()
    subject_digest = models.CharField(max_length=64)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    seconded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    seconded_at = models.DateTimeField(null=True)
    second_reason = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(seconded_by=None) | ~models.Q(seconded_by=models.F("by")),
                name="override_by_two_people",
            ),
        )
        triggers = (
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="done_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__done_at__isnull=False),
            ),
            pgtrigger.Protect(
                name="immutable_override",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "gate", "verdict", "reason", "subject_digest", "by", "at"
                ),
            ),
        )

    def __str__(self) -> str:
        return f"override of {self.gate}: {self.verdict}"
