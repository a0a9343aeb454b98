"""Notifications and preferences."""

from rest_framework import serializers

from pipelines.notifications import kinds, wording
from pipelines.notifications.actions import MOST_READ
from pipelines.notifications.models import Notification
from portal.api.serializers.base import Input, Output

KINDS = [(kind, kind) for kind in kinds.KINDS]
MODES = [(mode, mode) for mode in kinds.MODES]


class NotificationFilter(Input):
    """Which ones."""

    kind = serializers.ChoiceField(choices=KINDS, required=False, default="", allow_blank=True)
    unread = serializers.BooleanField(required=False, default=False)


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    """An event as you are told of it; `path` leads to its page."""

    text = serializers.SerializerMethodField()
    path = serializers.SerializerMethodField()
    use_case = serializers.CharField(source="use_case.key", default=None, allow_null=True)

    class Meta:
        model = Notification
        fields = ("id", "kind", "text", "use_case", "path", "created_at", "read_at")

    def get_text(self, row: Notification) -> str:
        """Return its words."""
        return wording.text_of(row)

    def get_path(self, row: Notification) -> str:
        """Return the address of its page."""
        return wording.path_of(row)


class ReadInput(Input):
    """Which ones were read."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        max_length=MOST_READ,
        required=False,
        default=list,
    )
    until = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, allow_null=True, default=None
    )


class ReadAnswer(Output):
    """How many were marked."""

    read = serializers.IntegerField()


class PreferencesInput(Input):
    """What changes; times by your own clock."""

    mail = serializers.BooleanField(required=False)
    by_kind = serializers.DictField(child=serializers.ChoiceField(choices=MODES), required=False)
    digest_hour = serializers.IntegerField(min_value=0, max_value=23, required=False)
    quiet_from = serializers.TimeField(required=False, allow_null=True)
    quiet_until = serializers.TimeField(required=False, allow_null=True)


class PreferencesSerializer(Output):
    """How you are told: each kind at_once, in the digest, or off (in the portal only)."""

    mail = serializers.BooleanField()
    by_kind = serializers.DictField(child=serializers.ChoiceField(choices=MODES))
    digest_hour = serializers.IntegerField()
    quiet_from = serializers.CharField(allow_null=True, help_text="HH:MM")
    quiet_until = serializers.CharField(allow_null=True, help_text="HH:MM")
