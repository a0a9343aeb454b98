"""Work items: what waits for people."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.runs.actions import items
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.items import (
    DraftInput,
    WorkItemAnswer,
    WorkItemDetailSerializer,
    WorkItemFilter,
    WorkItemSerializer,
)
from portal.api.verbs import verb


class Items(Endpoint):
    """The work items you may see."""

    @extend_schema(
        summary="Work items, newest first",
        parameters=[WorkItemFilter],
        responses=WorkItemSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Answer a page of work items."""
        wanted = self.query(WorkItemFilter)
        if wanted.pop("mine"):
            wanted["holder"] = self.user
        if "use_case" in wanted:
            wanted["run__use_case__key"] = wanted.pop("use_case")
        return self.page(access.items_of(self.user).filter(**wanted), WorkItemSerializer)


class Item(Endpoint):
    """One work item."""

    @extend_schema(summary="A work item with its fields", responses=WorkItemDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer the work item."""
        item = access.item_for(self.user, pk)
        item.stage.run = item.run
        return self.show(item, WorkItemDetailSerializer)


ItemClaim = verb(
    "ItemClaim", noun="item", fetch=access.item_for, action=items.claim, answer=WorkItemAnswer
)
ItemUnclaim = verb(
    "ItemUnclaim", noun="item", fetch=access.item_for, action=items.unclaim, answer=WorkItemAnswer
)
ItemDraft = verb(
    "ItemDraft",
    noun="item",
    fetch=access.item_for,
    action=items.save_draft,
    answer=WorkItemAnswer,
    body=DraftInput,
)
ItemComplete = verb(
    "ItemComplete",
    noun="item",
    fetch=access.item_for,
    action=items.complete,
    answer=WorkItemAnswer,
    body=DraftInput,
)
