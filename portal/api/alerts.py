"""Alerts: monitoring results that ask for a response."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.monitoring.actions import acknowledge, resolve
from pipelines.monitoring.queries import alerts
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.alerts import (
    AlertAnswer,
    AlertFilter,
    AlertSerializer,
    ResolveInput,
)
from portal.api.verbs import verb


class Alerts(Endpoint):
    """The alerts you may see."""

    @extend_schema(
        summary="Alerts, newest first",
        parameters=[AlertFilter],
        responses=AlertSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Answer a page of alerts."""
        wanted = self.query(AlertFilter)
        if "model" in wanted:
            wanted["model__name"] = wanted.pop("model")
        return self.page(alerts(self.user).filter(**wanted), AlertSerializer)


class Alert(Endpoint):
    """One alert."""

    @extend_schema(summary="An alert with its evidence", responses=AlertSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer the alert."""
        return self.show(access.alert_for(self.user, pk), AlertSerializer)


AlertAcknowledge = verb(
    "AlertAcknowledge",
    noun="alert",
    fetch=access.alert_for,
    action=acknowledge,
    answer=AlertAnswer,
)
AlertResolve = verb(
    "AlertResolve",
    noun="alert",
    fetch=access.alert_for,
    action=resolve,
    answer=AlertAnswer,
    body=ResolveInput,
)
