"""What words find."""

from typing import Any

from rest_framework import serializers

from pipelines.search.queries import ALL
from portal.api.serializers.base import Input, Output


class SearchFilter(Input):
    """What is looked for: every word must be there, from its beginning."""

    q = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=100_000,
        help_text="letters and digits count; at most eight words of 200 characters are looked for",
    )
    noun = serializers.ChoiceField(
        choices=list(ALL), default="", allow_blank=True, help_text="up to 50 hits of this noun only"
    )


class HitSerializer(Output):
    """One thing found: what it is, what the API knows it by, how it is called."""

    noun = serializers.CharField()
    id = serializers.IntegerField(source="pk", help_text="of a document: its use case's")
    key = serializers.CharField(
        help_text="of a use case its key, of a run its id, of a model its name, of a person the"
        " login name, of a document use case/kind"
    )
    title = serializers.CharField(source="name")
    about = serializers.SerializerMethodField()
    state = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)

    def get_about(self, hit: Any) -> str:
        """Return the line about it as plain text."""
        return "".join(piece.text for piece in hit.where)


class GroupSerializer(Output):
    """What was found of one noun; `more` says that there is more of it."""

    noun = serializers.CharField()
    more = serializers.BooleanField()
    hits = HitSerializer(many=True)


class FoundSerializer(Output):
    """The words looked for, and what they found; `cut` says that the query was longer."""

    words = serializers.ListField(child=serializers.CharField(), source="asked.words")
    cut = serializers.BooleanField(source="asked.cut")
    groups = GroupSerializer(many=True)
