"""Connections: seen only by who holds them."""

from django.db.models import QuerySet

from personas.errors import NotFound
from personas.models import User
from pipelines.artefacts.models import Connection


def connections_of(user: User) -> QuerySet[Connection]:
    """Return all connections; none for who does not manage operations."""
    rows = Connection.objects.all()
    return rows if user.can("operations.manage") else rows.none()


def connection_for(user: User, name: str) -> Connection:
    """Return the connection of that name. Raises NotFound, as for who may not know of it."""
    found = connections_of(user).filter(pk=name[:41]).first()
    if found is None:
        raise NotFound("connection", f"There is no connection {name!r}.")
    return found
