"""Documents: which there are, and one as data."""

from rest_framework import serializers

from pipelines.documents.library import VOICES
from portal.api.serializers.base import Input, Output


class DocumentKind(Output):
    """One kind of document."""

    key = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField()


class DocumentsSerializer(Output):
    """The documents of a run, and the forms each can be had in."""

    run = serializers.IntegerField()
    documents = DocumentKind(many=True)
    forms = serializers.ListField(child=serializers.CharField())


class EvidenceSerializer(Output):
    """Where a value can be looked up."""

    kind = serializers.CharField()
    label = serializers.CharField()
    path = serializers.CharField(help_text="the page's address in this portal")
    digest = serializers.CharField(help_text="SHA-256 of the content, where there is one")


class DocumentSection(Output):
    """A section: its blocks are figures, texts and tables, each with `block` saying which."""

    key = serializers.CharField()
    title = serializers.CharField()
    lead = serializers.CharField()
    blocks = serializers.ListField(child=serializers.DictField())


class DocumentSerializer(Output):
    """A document as data; equal content has an equal digest."""

    kind = serializers.CharField()
    title = serializers.CharField()
    subject = serializers.CharField()
    as_of = serializers.DateTimeField(help_text="when the run changed last")
    about = serializers.CharField()
    meta = serializers.DictField(child=serializers.CharField())
    sections = DocumentSection(many=True)
    evidence = EvidenceSerializer(many=True)
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="values computed, attested and missing"
    )
    digest = serializers.CharField(help_text="SHA-256 of the document without this field")


class DocumentFilter(Input):
    """Which voice of a decision brief is wanted."""

    voice = serializers.ChoiceField(
        choices=["", *VOICES], default="", required=False, help_text="of the decision brief only"
    )
