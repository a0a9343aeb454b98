"""A run's move to another version of its blueprint: look first, then do what was seen."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.runs.actions.moving import look, move_run
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.moving import LookSerializer, MoveAnswer, MoveInput, MoveQuery


class RunMove(Endpoint):
    """The move of a paused run to another version."""

    @extend_schema(
        summary="What a move to another version would do", parameters=[MoveQuery],
        responses=LookSerializer,
    )  # fmt: skip
    def get(self, request: Request, pk: int) -> Response:
        """Answer the plan of the move; nothing changes."""
        run = access.run_for(self.user, pk)
        wanted = self.query(MoveQuery)
        version = access.version_to_move(run, wanted.pop("version", None))
        given = wanted.pop("parameters", None) or {}
        if not isinstance(given, dict):
            raise ValidationError({"parameters": ["must be a JSON object"]})
        found = look(actor=self.actor, run=run, version=version, parameters=given, **wanted)
        return self.show(found, LookSerializer)

    @extend_schema(
        summary="Move a paused run to another version", request=MoveInput, responses=MoveAnswer
    )
    def post(self, request: Request, pk: int) -> Response:
        """Do exactly what was seen, or refuse with the whole list."""
        run = access.run_for(self.user, pk)
        given = self.read(MoveInput)
        version = access.version_to_move(run, given.pop("version"))
        return self.reply(
            move_run(actor=self.actor, run=run, version=version, key=self.key, **given)
        )
