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
    NewConnectionInput,
)


class Connections(Endpoint):
    """The named connections."""

    @extend_schema(summary="Named connections", responses=ConnectionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer all connections; none without operations.manage."""
        return self.page(access.connections_of(self.user), ConnectionSerializer, ordering="pk")

    @extend_schema(
        summary="Name a connection", request=NewConnectionInput, responses={201: ConnectionAnswer}
    )
    def post(self, request: Request) -> Response:
        """Hold a new connection; takes operations.manage."""
        given = self.read(NewConnectionInput)
        return self.reply(hold(actor=self.actor, key=self.key, new=True, **given), status=201)


class Connection(Endpoint):
    """One named connection."""

    @extend_schema(summary="A named connection", responses=ConnectionSerializer)
    def get(self, request: Request, name: str) -> Response:
        """Answer the connection without its secret; takes operations.manage."""
        return self.show(access.connection_for(self.user, name), ConnectionSerializer)

    @extend_schema(
        summary="Change a connection", request=ConnectionInput, responses=ConnectionAnswer
    )
    def put(self, request: Request, name: str) -> Response:
        """Change what its name leads to; takes operations.manage."""
        connection = access.connection_for(self.user, name)
        given = self.read(ConnectionInput)
        return self.reply(hold(actor=self.actor, name=connection.pk, key=self.key, **given))

    @extend_schema(summary="Forget a connection", request=None, responses=DroppedConnection)
    def delete(self, request: Request, name: str) -> Response:
        """Forget it; what was read through it stays. Takes operations.manage."""
        connection = access.connection_for(self.user, name)
        return self.reply(drop(actor=self.actor, connection=connection, key=self.key))
