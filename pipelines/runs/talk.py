"""Comments: who may do what with them, who sees them in a blind gate, whom a text names; how long
a look lasts.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from personas.errors import DomainError, NotAllowed
from personas.models import User
from pipelines.runs.models import Comment
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import may_see, personas_of

VISIT: Final = timedelta(minutes=30)  # own: looks closer together than this are one visit
MOST_MENTIONS: Final = 10  # own: whoever calls more people than that means nobody
NAMED: Final = re.compile(r"(?<![\w@./+-])@([\w.+-]{1,150})")


def not_commenting(user: User) -> DomainError | None:
    """Return why somebody who sees the use case may not comment: machines do not talk."""
    if user.is_service or not user.is_active:
        return NotAllowed("actor.person", "Comments are for people.")
    return None


def not_settling(user: User, comment: Comment) -> DomainError | None:
    """Return why the person may not resolve or reopen: its author does, and who has a seat."""
    if not_commenting(user) is None and (
        comment.author_id == user.pk or personas_of(user, comment.use_case_id)
    ):
        return None
    return NotAllowed("comment.seat", "Its author, or who holds a seat here, settles a comment.")


def not_withdrawing(user: User, comment: Comment) -> DomainError | None:
    """Return why the person may not withdraw the comment: nobody takes another's words back."""
    if comment.author_id == user.pk:
        return None
    return NotAllowed("comment.author", "Only who wrote a comment withdraws it.")


def logins_in(text: str) -> list[str]:
    """Return the logins that a text names with @, in its order, each once.

    A full stop or hyphen at the end belongs to the sentence.
    """
    found = (match.rstrip(".-+") for match in NAMED.findall(text))
    return list(dict.fromkeys(name for name in found if name))


def mentioned_in(text: str, use_case: UseCase, author: User) -> dict[str, int]:
    """Return whom the text calls, id by login: people who may see the use case, nobody else.

    Of other names nothing is said, so that nobody learns who has an account.
    """
    logins = logins_in(text)[:MOST_MENTIONS]
    people = User.objects.filter(username__in=logins, is_active=True, is_service=False)
    return {
        user.username: user.pk
        for user in people.exclude(pk=author.pk).order_by("pk")
        if may_see(user, use_case)
    }


def seen_by(user: User, comments: Iterable[Comment]) -> list[Comment]:
    """Return the comments this person may read now.

    What others wrote on a sealed gate is hidden until its reveal: one's own verdict does not open
    it, for until then it can be taken back. No query; `gate` should be fetched.
    """
    return [
        comment
        for comment in comments
        if comment.gate is None or not comment.gate.sealed or comment.author_id == user.pk
    ]


def may_read(user: User, comment: Comment) -> bool:
    """Whether this person may read the comment now."""
    return bool(seen_by(user, [comment]))
