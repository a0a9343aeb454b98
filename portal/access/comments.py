"""Comments."""

from typing import Final

from personas.errors import NotFound
from personas.models import User
from pipelines.runs import talk
from pipelines.runs.models import Comment
from portal.access.rows import Seen

_COMMENT: Final = Seen(
    "comment",
    lambda seen: (
        Comment.objects.select_related("use_case", "run__use_case", "gate", "author", "resolved_by")
        .defer("gate__pack")
        .filter(use_case__in=seen)
    ),
)


def comment_for(user: User, pk: int) -> Comment:
    """Return the comment, with its run and people. Raises NotFound, also where it is hidden."""
    found = _COMMENT.one(user, pk)
    if not talk.may_read(user, found):
        raise NotFound("comment", f"There is no comment {pk} that you may see.")
    return found
