"""Work items that change hands or wait, and requests for help."""

from collections.abc import Callable

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from personas.commands import Answer
from pipelines.runs.actions import help as requests
from pipelines.runs.actions import item_moves
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.base import Reason
from portal.api.serializers.items import (
    HelpInput,
    HoldInput,
    NoteInput,
    PassOnInput,
    WorkItemAnswer,
)
from portal.api.verbs import verb

ItemStart = verb(
    "ItemStart", noun="item", fetch=access.item_for, action=item_moves.start, answer=WorkItemAnswer
)
ItemHold = verb(
    "ItemHold",
    noun="item",
    fetch=access.item_for,
    action=item_moves.hold,
    answer=WorkItemAnswer,
    body=HoldInput,
)
ItemResume = verb(
    "ItemResume",
    noun="item",
    fetch=access.item_for,
    action=item_moves.resume,
    answer=WorkItemAnswer,
)
ItemResolve = verb(
    "ItemResolve",
    noun="item",
    fetch=access.item_for,
    action=item_moves.resolve,
    answer=WorkItemAnswer,
    body=NoteInput,
)
ItemSkip = verb(
    "ItemSkip",
    noun="item",
    fetch=access.item_for,
    action=item_moves.skip,
    answer=WorkItemAnswer,
    body=Reason,
)
ItemEscalate = verb(
    "ItemEscalate",
    noun="item",
    fetch=access.item_for,
    action=item_moves.escalate,
    answer=WorkItemAnswer,
    body=Reason,
)
ItemWithdraw = verb(
    "ItemWithdraw",
    noun="item",
    fetch=access.item_for,
    action=requests.withdraw,
    answer=WorkItemAnswer,
    body=Reason,
)
StageHelp = verb(
    "StageHelp",
    noun="stage",
    fetch=access.stage_for,
    action=requests.ask,
    answer=WorkItemAnswer,
    body=HelpInput,
)


class PassOn(Endpoint):
    """Gives an item to somebody else, by the subclass's way of passing on."""

    passing: Callable[..., Answer]

    def pass_on(self, pk: int) -> Response:
        """Fetch the item and the person, and pass it on."""
        item = access.item_for(self.user, pk)
        given = self.read(PassOnInput)
        person = access.person_named(given["to"], field="to")
        answer = type(self).passing(
            actor=self.actor, item=item, to=person, reason=given["reason"], key=self.key
        )
        return self.reply(answer)


class ItemDelegate(PassOn):
    """Who does an item for you."""

    passing = staticmethod(item_moves.delegate)

    @extend_schema(
        summary="Let somebody else do an item; you stay accountable",
        request=PassOnInput,
        responses=WorkItemAnswer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Delegate the item."""
        return self.pass_on(pk)


class ItemAssign(PassOn):
    """Who holds an item."""

    passing = staticmethod(item_moves.assign)

    @extend_schema(
        summary="Give an item to somebody", request=PassOnInput, responses=WorkItemAnswer
    )
    def post(self, request: Request, pk: int) -> Response:
        """Assign the item; a manager's act."""
        return self.pass_on(pk)
