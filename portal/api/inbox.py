"""The inbox: what waits for the person who asks."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.runs.queries.inbox import inbox
from portal.api.endpoint import Endpoint
from portal.api.serializers.inbox import InboxSerializer


class Inbox(Endpoint):
    """What waits for you, what you wait for, what you did last."""

    @extend_schema(summary="Your inbox, the most urgent first", responses=InboxSerializer)
    def get(self, request: Request) -> Response:
        """Answer every section of the inbox."""
        return self.show(inbox(self.user), InboxSerializer)
