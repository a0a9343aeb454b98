"""Named connections."""

from rest_framework import serializers

from pipelines.artefacts.models import Connection
from pipelines.operations.fetch.address import EXAMPLES, KINDS
from portal.api.serializers.artefacts import InspectionAnswer
from portal.api.serializers.base import Input, Output

_SECRET = "name of the worker's variable that holds the secret, BATON_CONNECTION_SECRET_..."
_USE_CASES = "keys of the use cases whose runs may read through it; * for all"


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    """A connection, with the name of its secret and never the secret."""

    use_cases = serializers.ListField(child=serializers.CharField(), help_text=_USE_CASES)

    class Meta:
        model = Connection
        fields = ("name", "kind", "address", "secret_name", "use_cases", "changed_at")


class ConnectionInput(Input):
    """What the connection is from now on."""

    kind = serializers.ChoiceField(choices=KINDS)
    address = serializers.CharField(
        max_length=500, help_text="such as " + " or ".join(EXAMPLES.values())
    )
    secret_name = serializers.CharField(
        max_length=80, default="", allow_blank=True, help_text=_SECRET
    )
    use_cases = serializers.ListField(
        child=serializers.CharField(max_length=80), default=list, help_text=_USE_CASES
    )


class NewConnectionInput(ConnectionInput):
    """A connection and its name."""

    name = serializers.CharField(max_length=40, help_text="small letters, digits and -")


class ConnectionAnswer(Output):
    """What the connection is now."""

    name = serializers.CharField()
    kind = serializers.CharField()
    address = serializers.CharField()
    secret_name = serializers.CharField()
    use_cases = serializers.ListField(child=serializers.CharField())


class DroppedConnection(Output):
    """The name that leads nowhere any more."""

    name = serializers.CharField()


class SourceInput(Input):
    """What is read through a connection: a query of a database, or the path of an object."""

    connection = serializers.CharField(max_length=40)
    query = serializers.CharField(max_length=20_000, default="", allow_blank=True)
    path = serializers.CharField(max_length=1024, default="", allow_blank=True)


class PreviewAnswer(InspectionAnswer):
    """What was there, like an upload's inspection, and through which connection it was read."""

    connection = serializers.CharField()
    query = serializers.CharField(required=False)
    path = serializers.CharField(required=False)
