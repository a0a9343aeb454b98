"""Lineage: nodes, edges, and OpenLineage events."""

from rest_framework import serializers

from portal.api.serializers.base import Output


class LineageNode(Output):
    """A thing or a step; `spine` marks what led to the model and what came of it."""

    id = serializers.CharField(help_text="an artefact's digest, else noun:id")
    kind = serializers.CharField(
        help_text="raw, artefact, step, window, model, deployment or predictions"
    )
    title = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(allow_blank=True)
    media = serializers.CharField(allow_blank=True)
    rows = serializers.IntegerField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="bytes")
    code = serializers.CharField(allow_blank=True, help_text="operation and its version")
    path = serializers.CharField(allow_blank=True)
    spine = serializers.BooleanField()


class LineageEdge(Output):
    """What went where; `port` is the name the step knows it by."""

    source = serializers.CharField()
    target = serializers.CharField()
    port = serializers.CharField(allow_blank=True)


class LineageSerializer(Output):
    """The lineage of a run's present rounds."""

    run = serializers.IntegerField()
    label = serializers.CharField()
    blueprint = serializers.CharField()
    blueprint_digest = serializers.CharField()
    nodes = LineageNode(many=True)
    edges = LineageEdge(many=True)


class RunEventSerializer(Output):
    """An OpenLineage run event; its parts are as that standard says."""

    eventType = serializers.ChoiceField(choices=["START", "COMPLETE"])  # noqa: N815
    eventTime = serializers.DateTimeField()  # noqa: N815
    run = serializers.DictField()
    job = serializers.DictField()
    inputs = serializers.ListField(child=serializers.DictField())
    outputs = serializers.ListField(child=serializers.DictField())
    producer = serializers.CharField()
    schemaURL = serializers.CharField()  # noqa: N815
