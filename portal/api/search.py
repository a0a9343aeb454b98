"""Search across nouns."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.search.queries import search
from portal.api.endpoint import Endpoint
from portal.api.serializers.search import FoundSerializer, SearchFilter


class Search(Endpoint):
    """What words find."""

    @extend_schema(
        summary="Use cases, runs, models, people and documents by words, the best first",
        parameters=[SearchFilter],
        responses=FoundSerializer,
    )
    def get(self, request: Request) -> Response:
        """Answer a few of each noun, or many of the one asked for."""
        asked = self.query(SearchFilter)
        return self.show(search(self.user, asked["q"], noun=asked["noun"]), FoundSerializer)
