"""Lineage: the graph as data, and the same as OpenLineage events."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.lineage.openlineage import events
from pipelines.lineage.queries import lineage_of, record_of
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.lineage import LineageSerializer, RunEventSerializer


class RunLineage(Endpoint):
    """The lineage of a run."""

    @extend_schema(
        summary="From raw rows to predictions: nodes and edges, with digests, rows and code",
        responses=LineageSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Answer the graph of the present rounds."""
        return self.show(lineage_of(access.run_for(self.user, pk)), LineageSerializer)


class RunOpenLineage(Endpoint):
    """The lineage as events."""

    pagination_class = None  # type: ignore[assignment]  # one run has some fifty

    @extend_schema(
        summary="The same as OpenLineage run events (spec 2-0-2), oldest step first",
        responses=RunEventSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Answer two events per step that was done, as a list."""
        record = record_of(access.run_for(self.user, pk))
        return Response(list(events(record, producer=settings.URL)))
