"""Use cases, their seats and their runs."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from personas.commands import Answer
from personas.errors import NotFound
from pipelines.artefacts.connections import Source
from pipelines.registry.actions import retire
from pipelines.runs.actions import runs
from pipelines.runs.inspections import inspect
from pipelines.runs.previews import preview
from pipelines.usecases.actions import (
    change_use_case,
    create_use_case,
    end_seat,
    give_seat,
    retire_use_case,
)
from pipelines.usecases.queries import seats_of
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.base import Reason
from portal.api.serializers.connections import PreviewAnswer, SourceInput
from portal.api.serializers.runs import RunAnswer, RunFilter, RunInput, RunSerializer
from portal.api.serializers.use_cases import (
    SeatAnswer,
    SeatInput,
    SeatSerializer,
    UseCaseAnswer,
    UseCaseChange,
    UseCaseDetailSerializer,
    UseCaseInput,
    UseCaseSerializer,
)


class UseCases(Endpoint):
    """The use cases you may see."""

    @extend_schema(summary="Use cases, newest first", responses=UseCaseSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer a page of use cases."""
        rows = access.use_cases_of(self.user).select_related("blueprint", "created_by")
        return self.page(rows, UseCaseSerializer)

    @extend_schema(summary="Frame a use case", request=UseCaseInput, responses={201: UseCaseAnswer})
    def post(self, request: Request) -> Response:
        """Create a use case; you take the seats of your personas."""
        given = self.read(UseCaseInput)
        access.check_inputs(self.user, given["inputs"])
        answer = create_use_case(actor=self.actor, idempotency_key=self.key, **given)
        where = request.build_absolute_uri(f"use-cases/{answer.data['key']}")
        return self.reply(answer, status=201, location=where)


class UseCase(Endpoint):
    """One use case."""

    @extend_schema(summary="A use case with its seats", responses=UseCaseDetailSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Answer the use case."""
        use_case = access.use_case_for(self.user, key)
        use_case.open_seats = seats_of(use_case)  # type: ignore[attr-defined]
        return self.show(use_case, UseCaseDetailSerializer)

    @extend_schema(
        summary="Change what later runs start from",
        request=UseCaseChange,
        responses=UseCaseAnswer,
    )
    def patch(self, request: Request, key: str) -> Response:
        """Change title, question, parameters or inputs."""
        use_case = access.use_case_for(self.user, key)
        given = self.read(UseCaseChange)
        access.check_inputs(self.user, given.get("inputs", {}))
        return self.reply(change_use_case(actor=self.actor, use_case=use_case, **given))


class Seats(Endpoint):
    """Who acts as which persona on a use case."""

    @extend_schema(summary="The open seats", responses=SeatSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        """Answer the open seats."""
        use_case = access.use_case_for(self.user, key)
        return self.page(seats_of(use_case), SeatSerializer, ordering="id")

    @extend_schema(summary="Give somebody a seat", request=SeatInput, responses={201: SeatAnswer})
    def post(self, request: Request, key: str) -> Response:
        """Let a person act as a persona."""
        use_case = access.use_case_for(self.user, key)
        given = self.read(SeatInput)
        person = access.person_named(given["user"], field="user")
        answer = give_seat(
            actor=self.actor,
            use_case=use_case,
            user=person,
            persona=given["persona"],
            key=self.key,
        )
        return self.reply(answer, status=201)


class Seat(Endpoint):
    """One seat."""

    @extend_schema(summary="End a seat from now on", responses=SeatAnswer)
    def delete(self, request: Request, key: str, pk: int) -> Response:
        """End a seat; what the person did stays theirs."""
        seat = access.seat_for(self.user, pk)
        if seat.use_case.key != key:
            raise NotFound("seat", f"There is no seat {pk} on {key!r}.")
        return self.reply(end_seat(actor=self.actor, seat=seat))


class UseCaseRetire(Endpoint):
    """The end of a use case."""

    @extend_schema(
        summary="Retire it, with its model if it has one: nothing answers any more",
        request=Reason,
        responses=UseCaseAnswer,
    )
    def post(self, request: Request, key: str) -> Response:
        """Retire the use case; needs a seat as BA."""
        use_case = access.use_case_for(self.user, key)
        reason = self.read(Reason)["reason"]
        model = access.model_of(use_case)
        if model is None:
            answer = retire_use_case(
                actor=self.actor, use_case=use_case, reason=reason, key=self.key
            )
        else:
            answer = retire(actor=self.actor, model=model, reason=reason, key=self.key)
        data = {"use_case": use_case.pk, "key": use_case.key}
        return self.reply(Answer(data, replayed=answer.replayed))


class UseCasePreview(Endpoint):
    """What its runs would read through a connection."""

    @extend_schema(
        summary="Read through a connection: columns, problems, suggestions",
        request=SourceInput,
        responses=PreviewAnswer,
    )
    def post(self, request: Request, key: str) -> Response:
        """Read once, keep what was there, and inspect it like an upload; a run reads afresh."""
        use_case = access.use_case_for(self.user, key)
        source = Source.of(self.read(SourceInput))
        answer = preview(actor=self.actor, use_case=use_case, source=source, key=self.key)
        digest, name = str(answer.data["digest"]), str(answer.data["name"])
        found = inspect(access.artefact_for(self.user, digest), name=name)
        data = {**source.as_parameters(), "digest": digest, **found}
        return self.reply(Answer(data, replayed=answer.replayed))


class UseCaseRuns(Endpoint):
    """The runs of a use case."""

    @extend_schema(
        summary="Its runs, newest first",
        parameters=[RunFilter],
        responses=RunSerializer(many=True),
    )
    def get(self, request: Request, key: str) -> Response:
        """Answer a page of runs."""
        use_case = access.use_case_for(self.user, key)
        wanted = {name: v for name, v in self.query(RunFilter).items() if name != "use_case"}
        rows = access.runs_of(self.user).filter(use_case=use_case, **wanted)
        return self.page(rows, RunSerializer)

    @extend_schema(summary="Create a run", request=RunInput, responses={201: RunAnswer})
    def post(self, request: Request, key: str) -> Response:
        """Create a run, and start it unless told otherwise."""
        use_case = access.use_case_for(self.user, key)
        given = self.read(RunInput)
        access.check_inputs(self.user, given.get("inputs", {}))
        answer = runs.create(
            actor=self.actor,
            use_case=use_case,
            version=access.version_to_run(use_case, given["blueprint"]),
            parameters=given.get("parameters"),
            inputs=given.get("inputs"),
            seed=given["seed"],
            start=given["start"],
            key=self.key,
        )
        where = request.build_absolute_uri(f"/api/v1/runs/{answer.data['run']}")
        return self.reply(answer, status=201, location=where)
