"""Artefacts and what an upload holds."""

from rest_framework import serializers

from pipelines.artefacts.models import Artefact
from portal.api.serializers.base import Input, Output, PersonSerializer
from portal.uploads import CHECKS


class ArtefactSerializer(serializers.ModelSerializer[Artefact]):
    """Immutable content, known by its SHA-256; `size` in bytes."""

    created_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Artefact
        fields = ("digest", "size", "media", "name", "created_at", "created_by")


class UploadInput(Input):
    """A file."""

    file = serializers.FileField(allow_empty_file=True)
    media = serializers.ChoiceField(
        choices=[(name, name) for name in CHECKS],
        default="",
        allow_blank=True,
        help_text="found by looking where it is CSV or Parquet",
    )


class DigestInput(Input):
    """An artefact that was kept before."""

    digest = serializers.RegexField(r"^[0-9a-f]{64}$")


class ArtefactAnswer(Output):
    """The artefact that was kept: a run's input takes exactly these."""

    digest = serializers.CharField()
    size = serializers.IntegerField()
    media = serializers.CharField()
    name = serializers.CharField()


class UploadProblem(Output):
    """What is wrong, and where; `severity` error means that it cannot be used."""

    code = serializers.CharField()
    file = serializers.CharField()
    row = serializers.IntegerField(allow_null=True)
    column = serializers.CharField(allow_null=True)
    rule = serializers.CharField(allow_blank=True)
    value = serializers.JSONField(allow_null=True)
    message = serializers.CharField()
    severity = serializers.ChoiceField(choices=[(s, s) for s in ("error", "warn", "note")])


class UploadColumn(Output):
    """One column: int, float, bool, time or text."""

    name = serializers.CharField()
    type = serializers.CharField()
    nulls = serializers.IntegerField()
    null_share = serializers.FloatField(allow_null=True)
    distinct = serializers.IntegerField()
    distinct_exact = serializers.BooleanField()
    examples = serializers.ListField(child=serializers.CharField())
    task = serializers.CharField(
        allow_null=True, required=False, help_text="What it suits as a target; null: none."
    )


class InspectionAnswer(Output):
    """What an upload holds, what is wrong with it, and what could be done with it."""

    digest = serializers.CharField()
    usable = serializers.BooleanField()
    rows = serializers.IntegerField()
    file = serializers.DictField()
    columns = UploadColumn(many=True)
    problems = UploadProblem(many=True)
    suggested_target = serializers.CharField(allow_null=True)
    target_candidates = serializers.ListField(child=serializers.CharField())
    suggested_time = serializers.CharField(allow_null=True)
    suggested_key = serializers.CharField(allow_null=True)
    suggested_group = serializers.CharField(allow_null=True)
    suggested_texts = serializers.ListField(child=serializers.CharField())
    suggested_task = serializers.CharField(allow_null=True)
    suggested_blueprint = serializers.CharField(allow_null=True)
