"""Notifications: what you were told, what you have read, how you wish to be told."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.notifications import actions, queries
from portal.api.endpoint import Endpoint
from portal.api.serializers.notifications import (
    NotificationFilter,
    NotificationSerializer,
    PreferencesInput,
    PreferencesSerializer,
    ReadAnswer,
    ReadInput,
)


class Notifications(Endpoint):
    """What you were told."""

    @extend_schema(
        summary="Your notifications, newest first",
        parameters=[NotificationFilter],
        responses=NotificationSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Answer a page of notifications; it marks none as read."""
        wanted = self.query(NotificationFilter)
        rows = queries.seen_by(self.user).select_related("use_case")
        if wanted["kind"]:
            rows = rows.filter(kind=wanted["kind"])
        if wanted["unread"]:
            rows = rows.filter(read_at=None)
        return self.page(rows, NotificationSerializer)


class NotificationsRead(Endpoint):
    """What you have read."""

    scopes = {"POST": "write"}

    @extend_schema(summary="Mark notifications as read", request=ReadInput, responses=ReadAnswer)
    def post(self, request: Request) -> Response:
        """Mark those of `ids`, or all up to the id `until`."""
        given = self.read(ReadInput)
        return self.reply(actions.mark_read(actor=self.actor, key=self.key, **given))


class MyNotifications(Endpoint):
    """How you wish to be told."""

    scopes = {"PATCH": "write"}

    @extend_schema(summary="How you are told", responses=PreferencesSerializer)
    def get(self, request: Request) -> Response:
        """Answer your preferences."""
        return Response(actions.summary(queries.preferences_of(self.user)))

    @extend_schema(
        summary="Say how you wish to be told",
        request=PreferencesInput,
        responses=PreferencesSerializer,
    )
    def patch(self, request: Request) -> Response:
        """Change what is given; the rest stays."""
        given = self.read(PreferencesInput)
        return self.reply(actions.set_preferences(actor=self.actor, wish=given, key=self.key))
