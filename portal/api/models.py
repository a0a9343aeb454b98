"""Registered models: versions, deployments, aliases, roll back, labels."""

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.registry.actions import roll_back
from pipelines.registry.queries import deployments_of, models, versions_of
from pipelines.serving.actions import take_labels
from pipelines.serving.queries import labels_of
from portal import access
from portal.api.endpoint import AnyMedia, Endpoint
from portal.api.serializers.base import Reason
from portal.api.serializers.models import (
    AliasMoveSerializer,
    DeploymentSerializer,
    LabelsAnswer,
    LabelSerializer,
    LabelsInput,
    ModelAnswer,
    ModelSerializer,
    ModelVersionSerializer,
)
from portal.downloads import mlflow_file


class Models(Endpoint):
    """The models you may see."""

    @extend_schema(summary="Models, by name", responses=ModelSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer a page of models."""
        return self.page(models(self.user), ModelSerializer, ordering="name")


class Model(Endpoint):
    """One model."""

    @extend_schema(summary="A model, and what is deployed", responses=ModelSerializer)
    def get(self, request: Request, name: str) -> Response:
        """Answer the model."""
        return self.show(access.model_for(self.user, name), ModelSerializer)


class ModelVersions(Endpoint):
    """The versions of a model."""

    @extend_schema(
        summary="Its versions, newest first", responses=ModelVersionSerializer(many=True)
    )
    def get(self, request: Request, name: str) -> Response:
        """Answer a page of versions."""
        return self.page(versions_of(access.model_for(self.user, name)), ModelVersionSerializer)


class ModelVersionMlflow(Endpoint):
    """A version for another tool."""

    content_negotiation_class = AnyMedia

    @extend_schema(
        summary="An approved version as an MLflow model, zipped",
        responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, "the folder")},
    )
    def get(self, request: Request, name: str, number: int) -> FileResponse:
        """Answer a folder that `mlflow.pyfunc.load_model` loads; it scores as the endpoint does."""
        return mlflow_file(access.model_version_for(self.user, name, number))


class Deployments(Endpoint):
    """What was deployed when."""

    @extend_schema(
        summary="Its deployments, newest first", responses=DeploymentSerializer(many=True)
    )
    def get(self, request: Request, name: str) -> Response:
        """Answer a page of deployments."""
        return self.page(deployments_of(access.model_for(self.user, name)), DeploymentSerializer)


class Aliases(Endpoint):
    """What an alias pointed to when."""

    @extend_schema(
        summary="The history of its aliases, newest first",
        responses=AliasMoveSerializer(many=True),
    )
    def get(self, request: Request, name: str) -> Response:
        """Answer a page of alias moves; the newest of a name is where it points now."""
        model = access.model_for(self.user, name)
        rows = model.alias_moves.select_related("version", "by")
        return self.page(rows, AliasMoveSerializer)


class Rollback(Endpoint):
    """Back to what answered before."""

    @extend_schema(
        summary="End the canary, else put the last live version back",
        request=Reason,
        responses=ModelAnswer,
    )
    def post(self, request: Request, name: str) -> Response:
        """Roll back at once; no second person is asked."""
        model = access.model_for(self.user, name)
        reason = self.read(Reason)["reason"]
        return self.reply(roll_back(actor=self.actor, model=model, reason=reason, key=self.key))


class Labels(Endpoint):
    """What came out, told later."""

    scopes = {"POST": "labels"}

    @extend_schema(summary="Its labels, newest first", responses=LabelSerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        """Answer a page of labels."""
        return self.page(labels_of(access.model_for(self.user, name)), LabelSerializer)

    @extend_schema(
        summary="Report outcomes by row key", request=LabelsInput, responses=LabelsAnswer
    )
    def post(self, request: Request, name: str) -> Response:
        """Take outcomes; what is known already is counted, a contradiction is reported."""
        model = access.model_to_label_for(self.user, name)
        labels = self.read(LabelsInput)["labels"]
        return self.reply(take_labels(actor=self.actor, model=model, labels=labels, key=self.key))
