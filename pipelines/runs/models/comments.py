"""Comments on a run or use case, each where it belongs; and when somebody last looked at a gate."""

import pgtrigger
from django.db import models

from personas.models import BatonNow, User
from pipelines.runs.models.gates import Gate
from pipelines.runs.models.runs import Run
from pipelines.usecases.models import UseCase

ANCHORS = ("", "check", "figure", "item", "hand_off", "stage")
LONGEST_TEXT = 4000
LONGEST_PLACE = 160


class Comment(models.Model):
    """What a person says about a use case or one of its runs; its text never changes.

    `anchor` and `place` say what it is about ("check", "evaluate.beats_baseline"); `gate` is the
    review it was written on. `mentions` are the ids of those it names, by login.
    """

    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, related_name="comments")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="comments")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, null=True, related_name="comments")
    anchor = models.CharField(max_length=10, blank=True, choices=[(a, a) for a in ANCHORS])
    place = models.CharField(max_length=LONGEST_PLACE, blank=True)
    text = models.TextField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    mentions = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=BatonNow())
    reply_to = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="replies"
    )
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(resolved_at=None, resolved_by=None)
                | models.Q(resolved_at__isnull=False, resolved_by__isnull=False),
                name="comment_resolved_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(reply_to=None) | models.Q(resolved_at=None),
                name="comment_thread_is_resolved_as_one",
            ),
        )
        indexes = (
            models.Index(fields=("run", "-id"), name="comment_run"),
            models.Index(fields=("use_case", "-id"), name="comment_use_case"),
        )
        triggers = (
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="immutable_comment",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    *("use_case", "run", "gate", "anchor", "place", "text", "author"),
                    *("mentions", "created_at", "reply_to"),
                ),
            ),
        )

    def __str__(self) -> str:
        return f"comment {self.pk} by {self.author}"

    @property
    def stream(self) -> tuple[str, str]:
        """Return the name of the stream that its events go to."""
        return self.run.stream if self.run is not None else self.use_case.stream


class Look(models.Model):
    """That a person has looked at exactly this: a gate with this digest, last `at`.

    `before_at` is the visit before: while somebody reads, what was new when they came stays new.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    gate = models.ForeignKey(Gate, on_delete=models.CASCADE, related_name="looks")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    stage_key = models.CharField(max_length=60)
    subject_digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    before_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("user", "run", "stage_key", "gate", "subject_digest"), name="one_look"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} looked at {self.gate}"
