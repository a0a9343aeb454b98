"""Comments on runs and use cases, and looks at gates."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.runs.actions import comments, looks
from pipelines.runs.queries.comments import readable
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.comments import (
    CommentAnswer,
    CommentSerializer,
    LookAnswer,
    RemarkInput,
    UseCaseRemarkInput,
)
from portal.api.verbs import verb


class RunComments(Endpoint):
    """The comments on a run."""

    @extend_schema(summary="Its comments, newest first", responses=CommentSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer a page of comments; what a blind gate hides from you is left out."""
        run = access.run_for(self.user, pk)
        return self.page(readable(self.user, run), CommentSerializer)

    @extend_schema(summary="Comment on a run", request=RemarkInput, responses=CommentAnswer)
    def post(self, request: Request, pk: int) -> Response:
        """Say something about the run, or one of its checks, figures, items, stages."""
        run = access.run_for(self.user, pk)
        remark = comments.Remark(**self.read(RemarkInput))
        return self.reply(comments.add(actor=self.actor, topic=run, remark=remark, key=self.key))


class UseCaseComments(Endpoint):
    """The comments on a use case and its runs."""

    @extend_schema(
        summary="Comments on it and its runs, newest first",
        responses=CommentSerializer(many=True),
    )
    def get(self, request: Request, key: str) -> Response:
        """Answer a page of comments; what a blind gate hides from you is left out."""
        use_case = access.use_case_for(self.user, key)
        return self.page(readable(self.user, use_case), CommentSerializer)

    @extend_schema(
        summary="Comment on a use case", request=UseCaseRemarkInput, responses=CommentAnswer
    )
    def post(self, request: Request, key: str) -> Response:
        """Say something about the use case as a whole."""
        use_case = access.use_case_for(self.user, key)
        remark = comments.Remark(**self.read(UseCaseRemarkInput))
        answer = comments.add(actor=self.actor, topic=use_case, remark=remark, key=self.key)
        return self.reply(answer)


CommentResolve = verb(
    "CommentResolve",
    noun="comment",
    fetch=access.comment_for,
    action=comments.resolve,
    answer=CommentAnswer,
)
CommentReopen = verb(
    "CommentReopen",
    noun="comment",
    fetch=access.comment_for,
    action=comments.reopen,
    answer=CommentAnswer,
)
CommentWithdraw = verb(
    "CommentWithdraw",
    noun="comment",
    fetch=access.comment_for,
    action=comments.withdraw,
    answer=CommentAnswer,
)
GateLook = verb(
    "GateLook",
    noun="gate",
    fetch=access.gate_for,
    action=looks.look,
    answer=LookAnswer,
)
