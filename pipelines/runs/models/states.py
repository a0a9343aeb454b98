"""What the tables share: state columns that the database keeps to their life cycle."""

import pgtrigger
from django.db import models

from pipelines.lifecycles import Machine


def state_field(machine: Machine) -> "models.CharField[str, str]":
    """Return a state column of one life cycle."""
    return models.CharField(max_length=24, choices=[(s, s) for s in machine.states])


def known_state(machine: Machine, table: str) -> models.CheckConstraint:
    """Forbid states that the life cycle does not know."""
    return models.CheckConstraint(
        condition=models.Q(state__in=machine.states), name=f"{table}_state_known"
    )


def final_rows_stay(machine: Machine) -> pgtrigger.Protect:
    """Refuse any change of a row that has reached an end state (invariant I21)."""
    return pgtrigger.Protect(
        name="final_stays",
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__state__in=sorted(machine.final)),
    )
