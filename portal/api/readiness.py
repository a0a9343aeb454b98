"""How ready a use case is: the ML Test Score, computed from evidence."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.readiness.queries import readiness
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.readiness import ReadinessSerializer


class UseCaseReadiness(Endpoint):
    """The readiness of a use case."""

    @extend_schema(
        summary="The ML Test Score with its evidence, and the 26 worries",
        responses=ReadinessSerializer,
    )
    def get(self, request: Request, key: str) -> Response:
        """Answer the score: the minimum over four sections of seven tests."""
        return self.show(readiness(access.use_case_for(self.user, key)), ReadinessSerializer)
