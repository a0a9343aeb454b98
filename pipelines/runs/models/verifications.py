"""What the last verification of the invariants found."""

from django.db import models

from personas.models import BatonNow


class Verification(models.Model):
    """One row per form: when it last began and ended, and what it found per invariant.

    `results` maps a code to {offenders: how many rows, rows: [[what, id, run, wrong]], problem,
    seconds, since: when it first did not hold}.
    """

    form = models.CharField(
        max_length=5, primary_key=True, choices=[(form, form) for form in ("quick", "full")]
    )
    began_at = models.DateTimeField(db_default=BatonNow())
    ended_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0.0)
    results = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.form} verification, begun {self.began_at:%Y-%m-%d %H:%M:%S}"
