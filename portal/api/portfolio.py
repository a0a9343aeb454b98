"""What is worked on: the board, the portfolio, and the views of them that a person keeps."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.portfolio import board, lists
from pipelines.usecases.actions import remove_view, save_view
from pipelines.usecases.models import SavedView
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.portfolio import (
    BoardFilter,
    BoardSerializer,
    PortfolioFilter,
    PortfolioSerializer,
    RemovedView,
    ViewAnswer,
    ViewInput,
    ViewSerializer,
)


class Portfolio(Endpoint):
    """The use cases you may see, with value, stage, age, score, forecast and champion."""

    @extend_schema(
        summary="A page of the portfolio, searched, filtered and sorted",
        parameters=[PortfolioFilter],
        responses=PortfolioSerializer,
    )
    def get(self, request: Request) -> Response:
        """Answer one page of 25; `more` says whether another follows."""
        given = self.query(PortfolioFilter)
        wanted = lists.Wanted(search=given.pop("q", ""), **given)
        return self.show(lists.portfolio(self.user, wanted), PortfolioSerializer)


class Board(Endpoint):
    """The open stages you may see."""

    @extend_schema(
        summary="The board: stages with their limits, and the oldest cards of each",
        parameters=[BoardFilter],
        responses=BoardSerializer,
    )
    def get(self, request: Request) -> Response:
        """Answer at most 6 cards of each stage, 60 where one stage is named."""
        asked = board.Asked(**self.query(BoardFilter))
        return self.show(board.board(self.user, asked), BoardSerializer)


class Views(Endpoint):
    """The views of board and portfolio that you keep."""

    @extend_schema(summary="Your saved views", responses=ViewSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer a page of views."""
        return self.page(SavedView.objects.filter(user=self.user), ViewSerializer)

    @extend_schema(
        summary="Keep a view; one of the same name is replaced",
        request=ViewInput,
        responses={201: ViewAnswer},
    )
    def post(self, request: Request) -> Response:
        """Keep a view of your own."""
        answer = save_view(actor=self.actor, key=self.key, **self.read(ViewInput))
        return self.reply(answer, status=201)


class View(Endpoint):
    """One saved view."""

    @extend_schema(summary="A saved view", responses=ViewSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer the view."""
        return self.show(access.view_for(self.user, pk), ViewSerializer)

    @extend_schema(summary="Remove a saved view", responses=RemovedView)
    def delete(self, request: Request, pk: int) -> Response:
        """Remove the view."""
        return self.reply(remove_view(actor=self.actor, view=access.view_for(self.user, pk)))
