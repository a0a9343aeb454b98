"""The glossary: the words of the pages and what they mean."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoint import Endpoint
from portal.api.serializers.base import Output
from portal.glossary import GROUPS


class TermSerializer(Output):
    """A word, its group, its meaning; the personas that meet it, none where everybody does."""

    name = serializers.CharField()
    group = serializers.CharField()
    word = serializers.CharField()
    meaning = serializers.CharField()
    personas = serializers.ListField(child=serializers.CharField())


class Glossary(Endpoint):
    """What the words mean."""

    @extend_schema(summary="The words of Baton", responses=TermSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer every word."""
        rows = [
            {
                "name": name, "group": group, "word": str(term.word),
                "meaning": str(term.meaning), "personas": list(term.of),
            }
            for group, _title, terms in GROUPS
            for name, term in terms.items()
        ]  # fmt: skip
        return Response(TermSerializer(rows, many=True).data)
