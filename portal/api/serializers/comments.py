"""Comments, and looks."""

from rest_framework import serializers

from pipelines.runs.models import Comment
from pipelines.runs.models.comments import LONGEST_PLACE
from portal.api.serializers.base import Input, Output, PersonSerializer


class CommentSerializer(serializers.ModelSerializer[Comment]):
    """What somebody said, and what about; the text of a withdrawn one is empty."""

    author = PersonSerializer()
    resolved_by = PersonSerializer(allow_null=True)
    text = serializers.SerializerMethodField()
    mentions = serializers.SerializerMethodField(help_text="the logins it calls")

    class Meta:
        model = Comment
        fields = (
            "id",
            "use_case",
            "run",
            "gate",
            "anchor",
            "place",
            "text",
            "author",
            "mentions",
            "created_at",
            "reply_to",
            "resolved_at",
            "resolved_by",
            "withdrawn_at",
        )

    def get_text(self, comment: Comment) -> str:
        """Return what was said, unless it was withdrawn."""
        return "" if comment.withdrawn_at else comment.text

    def get_mentions(self, comment: Comment) -> list[str]:
        """Return whom it calls, unless it was withdrawn."""
        return [] if comment.withdrawn_at else sorted(comment.mentions)


class UseCaseRemarkInput(Input):
    """What you say; the action names what is wrong with it."""

    text = serializers.CharField(help_text="plain text, 1 to 4000 characters; @login calls people")
    reply_to = serializers.IntegerField(required=False, help_text="the comment it answers")


class RemarkInput(UseCaseRemarkInput):
    """What you say, and what about."""

    anchor = serializers.CharField(
        default="", allow_blank=True, help_text="check, figure, item, hand_off, stage, or nothing"
    )
    place = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=LONGEST_PLACE,
        help_text="what it hangs on: stage.check, a figure, stage.item, a hand-off's id, a stage",
    )
    gate = serializers.IntegerField(required=False, help_text="the review it is written on")


class CommentAnswer(Output):
    """The comment and its state now."""

    comment = serializers.IntegerField()
    use_case = serializers.IntegerField()
    run = serializers.IntegerField(allow_null=True)
    gate = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(help_text="open, resolved or withdrawn")
    mentions = serializers.ListField(child=serializers.CharField())


class LookAnswer(Output):
    """When you looked, and the visit before."""

    gate = serializers.IntegerField()
    at = serializers.DateTimeField()
    before_at = serializers.DateTimeField(allow_null=True)
