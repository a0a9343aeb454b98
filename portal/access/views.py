"""Saved views: everybody's own."""

from personas.models import User
from pipelines.usecases.models import SavedView
from portal.access.rows import one


def view_for(user: User, pk: int) -> SavedView:
    """Return a view that the person keeps. Raises NotFound."""
    return one(SavedView.objects.filter(user=user), pk, "view")
