"""Limits: how many attempts may run at once."""

from django.db import models

from personas.models import BatonNow


class Limit(models.Model):
    """At most so many RUNNING attempts of a queue, an operation, a run or a use case.

    `key` names which one (a run's or use case's id as text); `*` is each of them by itself.
    """

    KINDS = ("queue", "operation", "run", "use_case")

    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in KINDS])
    key = models.CharField(max_length=80, default="*")
    at_most = models.PositiveSmallIntegerField()
    changed_at = models.DateTimeField(db_default=BatonNow())

    class Meta:
        ordering = ("kind", "key")
        constraints = (
            models.UniqueConstraint(fields=("kind", "key"), name="one_limit"),
            models.CheckConstraint(
                condition=models.Q(kind__in=("queue", "operation", "run", "use_case")),
                name="limit_kind_known",
            ),
        )

    def __str__(self) -> str:
        return f"at most {self.at_most} per {self.kind} {self.key}"
