"""Use cases, seats and blueprints."""

from typing import Any, ClassVar

from rest_framework import serializers

from pipelines.usecases.models import Blueprint, BlueprintVersion, Seat, UseCase
from portal.api.serializers.base import Input, Output, PersonSerializer


class SeatSerializer(serializers.ModelSerializer[Seat]):
    """A person acting as a persona on a use case."""

    user = PersonSerializer()
    persona = serializers.CharField(source="persona_id")

    class Meta:
        model = Seat
        fields = ("id", "user", "persona", "since", "until")


class SeatInput(Input):
    """Who takes which seat."""

    user = serializers.CharField(help_text="login name")
    persona = serializers.CharField(help_text="code of the persona")


class SeatAnswer(Output):
    """The seat."""

    seat = serializers.IntegerField()


class UseCaseSerializer(serializers.ModelSerializer[UseCase]):
    """A business question that is worked on."""

    blueprint = serializers.SlugRelatedField[Blueprint](
        slug_field="key", read_only=True, allow_null=True
    )
    created_by = PersonSerializer()

    class Meta:
        model = UseCase
        fields = (
            "key",
            "title",
            "question",
            "blueprint",
            "created_by",
            "created_at",
            "retired_at",
            "draft",
        )


class UseCaseDetailSerializer(UseCaseSerializer):
    """A use case with its open seats and with what its next run starts from."""

    seats = SeatSerializer(many=True, source="open_seats")
    parameters = serializers.DictField()
    inputs = serializers.DictField()

    class Meta(UseCaseSerializer.Meta):
        fields: ClassVar[Any] = (*UseCaseSerializer.Meta.fields, "parameters", "inputs", "seats")


class ArtefactPartInput(Input):
    """An artefact under the name it is known by."""

    name = serializers.CharField(max_length=200)
    digest = serializers.RegexField(r"^[0-9a-f]{64}$")
    media = serializers.CharField(max_length=12)


class InputsField(serializers.DictField):
    """Artefacts by the blueprint's input key."""

    child = serializers.ListField(child=ArtefactPartInput())


class UseCaseInput(Input):
    """A new use case; its creator takes the seats of their own personas."""

    title = serializers.CharField(max_length=200)
    question = serializers.CharField(max_length=10_000, default="", allow_blank=True)
    key = serializers.CharField(default="", allow_blank=True, help_text="made from the title")
    blueprint = serializers.CharField(default="", allow_blank=True)
    parameters = serializers.DictField(default=dict)
    inputs = InputsField(default=dict)
    draft = serializers.BooleanField(default=False, help_text="its framing is not finished")


class UseCaseChange(Input):
    """What may change; open runs keep what they were started with."""

    title = serializers.CharField(max_length=200, required=False)
    question = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    parameters = serializers.DictField(required=False)
    inputs = InputsField(required=False)
    blueprint = serializers.CharField(required=False)
    draft = serializers.BooleanField(required=False)


class UseCaseAnswer(Output):
    """The use case."""

    use_case = serializers.IntegerField()
    key = serializers.CharField()


class BlueprintSerializer(serializers.ModelSerializer[Blueprint]):
    """A blueprint with the number of its published version."""

    published = serializers.IntegerField(allow_null=True, help_text="null: all are retired")

    class Meta:
        model = Blueprint
        fields = ("key", "title", "kind", "published")


class VersionLineSerializer(serializers.ModelSerializer[BlueprintVersion]):
    """One version of a blueprint."""

    published_by = PersonSerializer(allow_null=True)

    class Meta:
        model = BlueprintVersion
        fields = ("number", "digest", "state", "published_at", "published_by")


class BlueprintDetailSerializer(BlueprintSerializer):
    """A blueprint with all its versions, newest first."""

    versions = VersionLineSerializer(many=True)

    class Meta(BlueprintSerializer.Meta):
        fields: ClassVar[Any] = (*BlueprintSerializer.Meta.fields, "versions")


class BlueprintVersionSerializer(VersionLineSerializer):
    """A version with its body: canonical JSON, of which `digest` is the SHA-256."""

    blueprint = serializers.SlugRelatedField[Blueprint](slug_field="key", read_only=True)
    body = serializers.DictField()

    class Meta(VersionLineSerializer.Meta):
        fields: ClassVar[Any] = ("blueprint", *VersionLineSerializer.Meta.fields, "body")


class BlueprintAnswer(Output):
    """The version; `new` is false where the same content was published before."""

    version = serializers.IntegerField()
    blueprint = serializers.CharField()
    number = serializers.IntegerField()
    digest = serializers.CharField()
    new = serializers.BooleanField()


class ProblemLineSerializer(Output):
    """One broken rule, at a path."""

    path = serializers.CharField()
    rule = serializers.CharField()
    message = serializers.CharField()
    value = serializers.CharField(allow_blank=True)
    severity = serializers.ChoiceField(choices=[("error", "error"), ("warning", "warning")])


class LintAnswer(Output):
    """Every problem of a blueprint at once; warnings do not refuse it."""

    publishable = serializers.BooleanField()
    digest = serializers.CharField(allow_blank=True, help_text="empty where it cannot be read")
    problems = ProblemLineSerializer(many=True)
