"""Connections: seen only by who holds them."""

from django.db.models import QuerySet

from personas import policies
from personas.errors import NotFound
from personas.models import User
from pipelines.artefacts.models import Connection


def connections_of(user: User) -> QuerySet[Connection]:
    """Return all connections. Raises NotAllowed without `operations.manage`."""
    policies.require(user, "operations.manage")
    return Connection.objects.all()


def connection_for(user: User, name: str) -> Connection:
    """Return the connection of that name. Raises NotAllowed, NotFound."""
    found = connections_of(user).filter(pk=name).first()
    if found is None:
        raise NotFound("connection", f"There is no connection {name!r}.")
    return found
