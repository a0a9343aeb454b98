"""How a use case's model fares in use."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.monitoring.watching import watching
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.monitor import MonitorSerializer


class UseCaseMonitor(Endpoint):
    """The monitor of a use case."""

    @extend_schema(
        summary="Drift and quality by window, traffic by day, and the latest alerts",
        responses=MonitorSerializer,
    )
    def get(self, request: Request, key: str) -> Response:
        """Answer what the monitor's page shows."""
        found = watching(self.user, access.use_case_for(self.user, key))
        return self.show(found, MonitorSerializer)
