"""What the serializers share."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from personas.models import User


class Input(serializers.Serializer[Any]):
    """What a caller sends: unknown fields are refused, for a misspelt one must not be ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the clean values. Raises ValidationError with every problem at once."""
        problems: dict[str, list[str]] = {}
        if isinstance(data, Mapping):
            known = ", ".join(self.fields) or "none"
            problems = {
                str(name): [f"is not a field here; known: {known}"]
                for name in data
                if name not in self.fields
            }
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **problems}) from None
            raise
        if problems:
            raise serializers.ValidationError(problems)
        return values


class Nothing(Input):
    """No field."""


class Reason(Input):
    """Why."""

    reason = serializers.CharField(max_length=10_000, help_text="for the ledger, and for people")


class ReturnInput(Reason):
    """Why something goes back."""

    reason_code = serializers.CharField(help_text="one of the reason codes")


class Output(serializers.Serializer[Any]):
    """What is answered."""


class PersonSerializer(serializers.ModelSerializer[User]):
    """A person, as others name them."""

    class Meta:
        model = User
        fields = ("id", "username", "name")


def choices(states: Any) -> list[tuple[str, str]]:
    """Return the choices of a state filter."""
    return [(str(state), str(state)) for state in states]
