"""The operations that a blueprint can name."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import catalogue
from portal.api.endpoint import Endpoint
from portal.api.serializers.operations import OperationsSerializer


class Operations(Endpoint):
    """Baton's own operations, and those that installed packages bring."""

    @extend_schema(summary="Operations, and whose they are", responses=OperationsSerializer)
    def get(self, request: Request) -> Response:
        """Answer all, own ones first; one that a package brings and cannot be used says why."""
        return self.show({"operations": catalogue.listed()}, OperationsSerializer)
