"""Moving a run to another version of its blueprint."""

from typing import Any

from rest_framework import serializers

from pipelines.runs.actions.moving import Look
from portal.api.serializers.base import Input, Output

CHANGES = [(name, name) for name in ("added", "removed", "changed")]
FATES = [
    (name, name)
    for name in ("kept", "carried over", "redone", "dropped", "added", "left out", "refused")
]


class KeysField(serializers.CharField):
    """Keys of stages, joined by commas."""

    def to_internal_value(self, data: Any) -> Any:
        """Return them as a list."""
        text = str(super().to_internal_value(data))
        return [key.strip() for key in text.split(",") if key.strip()]


class MoveQuery(Input):
    """Where to, and what is decided; nothing of it is done."""

    version = serializers.IntegerField(
        min_value=1, required=False, help_text="number of the version; else the published one"
    )
    redo = KeysField(default="", help_text="stages to do again, joined by commas")
    rebind = KeysField(default="", help_text="stages whose open gate opens anew, joined by commas")
    parameters = serializers.JSONField(
        required=False, binary=True, help_text="a JSON object: parameters that the run never had"
    )


class MoveInput(Input):
    """What to do: exactly what `seen` seals, as the GET answered it."""

    version = serializers.IntegerField(min_value=1, help_text="number of the version")
    seen = serializers.CharField(max_length=64, help_text="`seen` of the GET")
    reason = serializers.CharField(max_length=10_000, help_text="for the ledger, and for people")
    redo = serializers.ListField(child=serializers.CharField(), default=list)
    rebind = serializers.ListField(child=serializers.CharField(), default=list)
    parameters = serializers.DictField(default=dict)


class MoveAnswer(Output):
    """The run, and the version that it is on now."""

    run = serializers.IntegerField()
    label = serializers.CharField()
    state = serializers.CharField()
    use_case = serializers.CharField()
    version = serializers.IntegerField()
    redone = serializers.ListField(child=serializers.CharField())
    seen = serializers.CharField()


class ChangeSerializer(Output):
    """One part of the blueprint that differs."""

    noun = serializers.CharField()
    name = serializers.CharField()
    change = serializers.ChoiceField(choices=CHANGES)
    fields = serializers.ListField(child=serializers.CharField())


class FateSerializer(Output):
    """What becomes of one row of the run."""

    noun = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField(allow_blank=True)
    fate = serializers.ChoiceField(choices=FATES)
    why = serializers.CharField(allow_blank=True)


class LookSerializer(Output):
    """What the move would do now; `problems` is all that is against it."""

    run = serializers.IntegerField(source="run.pk")
    from_version = serializers.IntegerField(source="run.version.number")
    to_version = serializers.IntegerField(source="version.number")
    possible = serializers.BooleanField()
    seen = serializers.CharField(help_text="send it with the POST")
    problems = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    changes = serializers.SerializerMethodField()
    fates = FateSerializer(many=True, source="plan.fates")
    may_redo = serializers.ListField(child=serializers.CharField(), source="plan.may_redo")
    may_rebind = serializers.ListField(child=serializers.CharField(), source="plan.may_rebind")
    parameters = serializers.DictField(help_text="as the run would have them")

    def get_changes(self, look: Look) -> list[dict[str, Any]]:
        """Return what differs between the versions."""
        real = look.plan.changes.real
        return [
            {"noun": c.noun, "name": c.name, "change": c.change, "fields": list(c.fields)}
            for c in real
        ]
