"""Named connections to data outside, held by who manages operations."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.artefacts.connections import drop, hold
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.connections import (
    ConnectionAnswer,
    ConnectionInput,
    ConnectionSerializer,
    DroppedConnection,
)


class Connections(Endpoint):
    """The named connections."""

    @extend_schema(summary="Named connections", responses=ConnectionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer all connections; takes operations.manage."""
        return self.page(access.connections_of(self.user), ConnectionSerializer, ordering="pk")


class Connection(Endpoint):
    """One named connection."""

    @extend_schema(summary="A named connection", responses=ConnectionSerializer)
    def get(self, request: Request, name: str) -> Response:
        """Answer the connection without its secret; takes operations.manage."""
        return self.show(access.connection_for(self.user, name), ConnectionSerializer)

    @extend_schema(
        summary="Name or change a connection", request=ConnectionInput, responses=ConnectionAnswer
    )
    def put(self, request: Request, name: str) -> Response:
        """Hold it under this name; takes operations.manage."""
        given = self.read(ConnectionInput)
        return self.reply(hold(actor=self.actor, name=name, key=self.key, **given))

    @extend_schema(summary="Forget a connection", request=None, responses=DroppedConnection)
    def delete(self, request: Request, name: str) -> Response:
        """Forget it; what was read through it stays. Takes operations.manage."""
        connection = access.connection_for(self.user, name)
        return self.reply(drop(actor=self.actor, connection=connection, key=self.key))
