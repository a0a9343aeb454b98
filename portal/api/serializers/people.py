"""People, personas and tokens."""

from typing import Any, ClassVar

from rest_framework import serializers

from personas.actions import LONGEST_TOKEN, SCOPES
from personas.models import Persona, Token, User
from portal.api.serializers.base import Input, Output, PersonSerializer

LONGEST_DAYS = LONGEST_TOKEN.days
TOKEN_DAYS = 90


class PersonaSerializer(serializers.ModelSerializer[Persona]):
    """One kind of people, with expertise ranges of 0 to 100 points."""

    class Meta:
        model = Persona
        fields = (
            "code",
            "title",
            "lane",
            "ml_low",
            "ml_high",
            "ml_point",
            "deployment_low",
            "deployment_high",
            "deployment_point",
            "cares_for",
        )


class UserSerializer(serializers.ModelSerializer[User]):
    """A person or service account, with the personas they may take seats as."""

    personas = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ("id", "username", "name", "personas", "is_active", "is_service")

    def get_personas(self, user: User) -> list[str]:
        """Return the codes, from prefetched rows."""
        return [persona.code for persona in user.personas.all()]


class SeatOfMeSerializer(Output):
    """A seat of the person who asks."""

    use_case = serializers.CharField(source="use_case.key")
    persona = serializers.CharField(source="persona_id")


class MeSerializer(UserSerializer):
    """The person who asks: rights, seats, and the scopes of the token in use."""

    seats = serializers.SerializerMethodField()
    scopes = serializers.SerializerMethodField()

    class Meta(UserSerializer.Meta):
        fields: ClassVar[Any] = (
            *UserSerializer.Meta.fields,
            "email",
            "time_zone",
            "language",
            "ml_point",
            "deployment_point",
            "capabilities",
            "scopes",
            "seats",
        )

    def get_seats(self, user: User) -> list[dict[str, str]]:
        """Return the open seats."""
        seats = user.seats.filter(until=None).select_related("use_case")
        return [{"use_case": seat.use_case.key, "persona": seat.persona_id} for seat in seats]

    def get_scopes(self, user: User) -> list[str] | None:
        """Return the token's scopes; null for a session, which no scope binds."""
        token = self.context["request"].auth
        return token.scopes if isinstance(token, Token) else None


class TourInput(Input):
    """Whether the inbox page shows it."""

    shown = serializers.BooleanField()


class TourAnswer(Output):
    """Whether the inbox page shows it."""

    tour = serializers.BooleanField()


class UserInput(Input):
    """A new person."""

    username = serializers.RegexField(r"^[\w.@+-]+$", max_length=80)
    name = serializers.CharField(max_length=120)
    password = serializers.CharField(
        required=False,
        allow_null=True,
        default=None,
        max_length=200,
        trim_whitespace=False,
        help_text="null: the person cannot sign in with a password",
    )
    personas = serializers.ListField(child=serializers.CharField(), default=list)
    capabilities = serializers.ListField(child=serializers.CharField(), default=list)


class UserAnswer(Output):
    """The person that was created."""

    user = serializers.IntegerField()
    username = serializers.CharField()


class ActiveAnswer(Output):
    """Whether the person may sign in now."""

    user = serializers.IntegerField()
    active = serializers.BooleanField()


class TokenSerializer(serializers.ModelSerializer[Token]):
    """A token without its secret; `last_used_at` is its last change, not its last read."""

    user = PersonSerializer()

    class Meta:
        model = Token
        fields = (
            "id",
            "user",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        )


class NewTokenSerializer(TokenSerializer):
    """A token with its secret: this answer is the only place that ever shows it."""

    secret = serializers.CharField(help_text="empty in a replay: it is kept nowhere")

    class Meta(TokenSerializer.Meta):
        fields: ClassVar[Any] = (*TokenSerializer.Meta.fields, "secret")


class TokenInput(Input):
    """A new token."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=[(s, s) for s in SCOPES]), min_length=1
    )
    days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS, default=TOKEN_DAYS)
    user = serializers.CharField(
        required=False, help_text="login name of a service account; your own where it is missing"
    )


class TokenAnswer(Output):
    """A token that was revoked."""

    token = serializers.IntegerField()
    revoked = serializers.BooleanField()
