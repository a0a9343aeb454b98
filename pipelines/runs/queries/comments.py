"""Comments as people read them: threads, each with its answers, by what they hang on.

One query; one more where something was written on a gate that is still blind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from personas.errors import DomainError
from personas.models import User
from pipelines.runs import talk
from pipelines.runs.models import Comment, Run
from pipelines.usecases.models import UseCase

MOST = 200  # comments of one page, the newest; the API has them all


@dataclass(frozen=True)
class Remark:
    """A comment with what forbids the reader to withdraw it."""

    comment: Comment
    withdrawing: DomainError | None

    @property
    def text(self) -> str:
        """What was said; nothing of what was withdrawn."""
        return "" if self.comment.withdrawn_at else self.comment.text


@dataclass(frozen=True)
class Thread:
    """A comment and its answers, oldest first."""

    first: Remark
    answers: tuple[Remark, ...]
    settling: bool

    @property
    def open(self) -> bool:
        """Whether it waits for somebody."""
        return not self.first.comment.resolved_at and not self.first.comment.withdrawn_at

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """The comment, then its answers."""
        return (self.first, *self.answers)


@dataclass(frozen=True)
class Talk:
    """All threads: those open first, then the newest. `cut`: there are older ones."""

    threads: tuple[Thread, ...]
    cut: bool

    @property
    def open(self) -> int:
        """How many threads wait for somebody."""
        return sum(thread.open for thread in self.threads)

    def at(self, anchor: str) -> Mapping[str, tuple[Thread, ...]]:
        """Return the threads that hang on this kind of thing, by its place."""
        found: dict[str, list[Thread]] = {}
        for thread in self.threads:
            comment = thread.first.comment
            if comment.anchor == anchor:
                found.setdefault(comment.place, []).append(thread)
        return {place: tuple(threads) for place, threads in found.items()}


def comments_of(topic: Run | UseCase) -> QuerySet[Comment]:
    """Return the comments on a run, or on a use case as a whole and on its runs."""
    asked = Q(run=topic) if isinstance(topic, Run) else Q(use_case=topic)
    rows = Comment.objects.filter(asked)
    return rows.select_related("author", "resolved_by", "run", "gate__stage").defer("gate__pack")


def readable(user: User, topic: Run | UseCase) -> QuerySet[Comment]:
    """Return the comments on it that this person may read now, as `talk.seen_by` does."""
    sealed = Q(gate__state="OPEN", gate__revealed_at=None, gate__policy__blind=True)
    return comments_of(topic).filter(Q(gate=None) | ~sealed | Q(author=user))


def talk_on(user: User, topic: Run | UseCase, *, settles: bool) -> Talk:
    """Return the threads a person may read; `settles`: whether they hold a seat here."""
    rows = list(comments_of(topic).order_by("-id")[: MOST + 1])
    newest = rows[:MOST]
    # A new answer to an old comment brings it along.
    roots = {row.reply_to_id for row in newest if row.reply_to_id} - {row.pk for row in newest}
    older = comments_of(topic).filter(pk__in=roots).order_by("-id") if roots else ()
    found = talk.seen_by(user, reversed([*newest, *older]))
    answers: dict[int, list[Comment]] = {}
    for comment in found:
        if comment.reply_to_id is not None:
            answers.setdefault(comment.reply_to_id, []).append(comment)
    first = [comment for comment in found if comment.reply_to_id is None]
    threads = [_thread(user, one, answers.get(one.pk, ()), settles=settles) for one in first]
    shown = sorted(threads, key=lambda t: (not t.open, -t.first.comment.pk))
    return Talk(tuple(shown), cut=len(rows) > MOST)


def _thread(user: User, first: Comment, answers: Iterable[Comment], *, settles: bool) -> Thread:
    able = settles or (first.author_id == user.pk and not user.is_service)
    return Thread(_remark(user, first), tuple(_remark(user, c) for c in answers), settling=able)


def _remark(user: User, comment: Comment) -> Remark:
    return Remark(comment, talk.not_withdrawing(user, comment))
