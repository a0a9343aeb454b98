"""Flow: the use cases over which a person may see figures."""

from personas.models import User
from pipelines.insights.reading import Scope
from portal.access.changes import use_case_ids_seen


def flow_scope(user: User) -> Scope:
    """Return the use cases whose flow the person may see: those they may see themselves."""
    return Scope() if user.can("read_all") else Scope(frozenset(use_case_ids_seen(user)))
