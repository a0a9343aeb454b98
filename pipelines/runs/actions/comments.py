"""Comments: say something about a run or use case, answer, resolve, reopen, withdraw."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotFound
from personas.ledger import Actor
from personas.models import User
from pipelines.runs import talk
from pipelines.runs.actions.locks import name_of, run_of
from pipelines.runs.models import Check, Comment, Gate, HandOff, Run, Stage, WorkItem
from pipelines.runs.models.comments import ANCHORS, LONGEST_PLACE, LONGEST_TEXT
from pipelines.runs.policies import refuse
from pipelines.usecases.models import UseCase

Topic = Run | UseCase


@dataclass(frozen=True)
class Remark:
    """What is said, and where: about the whole, or anchored at a `place`; `gate` names a review."""

    text: str
    anchor: str = ""
    place: str = ""
    gate: int | None = None
    reply_to: int | None = None


def add(*, actor: Actor, topic: Topic, remark: Remark, key: str | None = None) -> Answer:
    """Comment on a run or use case, or answer a comment. Raises NotAllowed, NotFound, Invalid.

    An answer belongs where its comment belongs. No comment blocks a gate.
    """
    author = _person(actor)
    run = topic if isinstance(topic, Run) else None
    use_case = topic.use_case if isinstance(topic, Run) else topic
    root = _root(author, use_case, run, remark.reply_to)
    problems = _problems(remark, run, root)
    if problems:
        raise Invalid("The comment cannot be kept.", fields=problems)

    def body(command: Command, locked: Topic) -> dict[str, object]:
        comment = Comment(
            use_case=use_case,
            run=run,
            gate_id=(root.gate_id if root else remark.gate) or _sealed_gate_of(run),
            anchor=root.anchor if root else remark.anchor,
            place=root.place if root else remark.place,
            text=remark.text.strip(),
            author=author,
            mentions=talk.mentioned_in(remark.text, use_case, author),
            created_at=command.now,
            reply_to=root,
        )
        comment.save(force_insert=True)
        _record(command, comment, "comment.added", **_told(comment))
        return summary(comment)

    return execute(
        actor=actor,
        name="add_comment",
        lock=_lock(run, use_case),
        body=body,
        key=key,
        request={"use_case": use_case.pk, "run": run.pk if run else None, **remark.__dict__},
    )


def resolve(*, actor: Actor, comment: Comment, key: str | None = None) -> Answer:
    """Resolve a comment with its answers. Raises NotAllowed, Conflict (comment_resolved)."""

    def change(command: Command, locked: Comment, user: User) -> str:
        refuse(talk.not_settling(user, locked))
        _must_stand(locked)
        if locked.resolved_at is not None:
            who = name_of(locked.resolved_by)
            raise Conflict(
                "comment_resolved",
                f"{who} resolved this at {locked.resolved_at:%d %b %H:%M}.",
                by=who,
                at=locked.resolved_at,
                state="resolved",
            )
        locked.resolved_at, locked.resolved_by = command.now, user
        return "comment.resolved"

    return _change(actor, comment, name="resolve_comment", change=change, key=key)


def reopen(*, actor: Actor, comment: Comment, key: str | None = None) -> Answer:
    """Open a resolved comment again. Raises NotAllowed, Conflict (comment_open)."""

    def change(command: Command, locked: Comment, user: User) -> str:
        refuse(talk.not_settling(user, locked))
        _must_stand(locked)
        if locked.resolved_at is None:
            raise Conflict("comment_open", "This comment is open.", state="open")
        locked.resolved_at = locked.resolved_by = None
        return "comment.reopened"

    return _change(actor, comment, name="reopen_comment", change=change, key=key)


def withdraw(*, actor: Actor, comment: Comment, key: str | None = None) -> Answer:
    """Take one's own comment back: it is hidden, and says so. Raises NotAllowed, Conflict.

    The ledger keeps the text, as it keeps everything.
    """

    def change(command: Command, locked: Comment, user: User) -> str:
        refuse(talk.not_withdrawing(user, locked))
        _must_stand(locked)
        locked.withdrawn_at = command.now
        return "comment.withdrawn"

    return _change(actor, comment, name="withdraw_comment", change=change, key=key)


def _change(
    actor: Actor,
    comment: Comment,
    *,
    name: str,
    change: Callable[[Command, Comment, User], str],
    key: str | None,
) -> Answer:
    user = _person(actor)

    def body(command: Command, _locked: Topic) -> dict[str, object]:
        rows = Comment.objects.select_for_update(of=("self",))
        locked = rows.select_related("run", "use_case", "resolved_by").get(pk=comment.pk)
        event = change(command, locked, user)
        locked.save(update_fields=["resolved_at", "resolved_by", "withdrawn_at"])
        _record(command, locked, event)
        return summary(locked)

    return execute(
        actor=actor,
        name=name,
        lock=_lock(comment.run, comment.use_case),
        body=body,
        key=key,
        request={"comment": comment.pk},
    )


def _lock(run: Run | None, use_case: UseCase) -> Callable[[], Topic]:
    """A run's comments wait for the run's commands; those on the whole for the use case's."""
    if run is not None:
        pk = run.pk
        return lambda: run_of(pk)
    return lambda: UseCase.objects.select_for_update().get(pk=use_case.pk)


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise Invalid("Nobody comments.", fields={"actor": ["must be a person"]})
    refuse(talk.not_commenting(actor.user))
    return actor.user


def _root(user: User, use_case: UseCase, run: Run | None, reply_to: int | None) -> Comment | None:
    """The comment that is answered; an answer to an answer belongs to the same thread."""
    if reply_to is None:
        return None
    asked = Comment.objects.filter(pk=reply_to, use_case=use_case, run=run)
    found = asked.select_related("gate", "reply_to__gate").first()
    root = found.reply_to or found if found else None
    if root is None or not talk.may_read(user, root):
        raise NotFound("comment", f"There is no comment {reply_to} here that you may see.")
    return root


def _problems(remark: Remark, run: Run | None, root: Comment | None) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    length = len(remark.text.strip())
    if not 1 <= length <= LONGEST_TEXT:
        problems["text"] = [f"must have 1 to {LONGEST_TEXT} characters, has {length}"]
    elif "\0" in remark.text:
        problems["text"] = ["holds the character U+0000, which no text may contain"]
    if root is not None:
        if root.withdrawn_at is not None:
            problems["reply_to"] = [f"comment {root.pk} was withdrawn"]
        return problems
    wrong = _misplaced(remark, run)
    if wrong:
        problems["place" if remark.anchor in ANCHORS else "anchor"] = [wrong]
    if remark.gate is not None and not _gates(remark, run):
        problems["gate"] = [f"is no review of this run: {remark.gate}"]
    return problems


def _gates(remark: Remark, run: Run | None) -> bool:
    return run is not None and Gate.objects.filter(pk=remark.gate or 0, run=run).exists()


def _misplaced(remark: Remark, run: Run | None) -> str:
    """Say why the remark hangs on nothing; empty where it hangs on something."""
    anchor, place = remark.anchor, remark.place
    if anchor not in ANCHORS:
        return f"must be one of {', '.join(filter(None, ANCHORS))}, or empty; got {anchor[:40]!r}"
    if len(place) > LONGEST_PLACE or "\0" in place:
        return f"has {len(place)} characters; at most {LONGEST_PLACE}"
    if not anchor:
        return "needs an anchor" if place else ""
    if run is None:
        return "only comments on a run have an anchor"
    stage, _, name = place.partition(".")
    known: dict[str, Callable[[], QuerySet[Any]]] = {
        "stage": lambda: Stage.objects.filter(run=run, key=place),
        "check": lambda: Check.objects.filter(run=run, stage__key=stage, name=name),
        "item": lambda: WorkItem.objects.filter(run=run, stage__key=stage, key=name),
        "hand_off": lambda: HandOff.objects.filter(run=run, pk=_whole(place)),
    }
    if anchor == "figure":
        return "" if place.strip() else "must name the figure"
    return "" if known[anchor]().exists() else f"there is no {anchor} {place[:80]!r} in this run"


def _sealed_gate_of(run: Run | None) -> int | None:
    """The blind gate that people decide on now: what is said meanwhile is sealed with it,
    wherever it is written. One without a run speaks of no evidence.
    """
    if run is None:
        return None
    sealed = Gate.objects.filter(stage__run=run, state="OPEN", revealed_at=None, policy__blind=True)
    found: int | None = sealed.order_by("-pk").values_list("pk", flat=True).first()
    return found


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _must_stand(comment: Comment) -> None:
    if comment.withdrawn_at is not None:
        raise Conflict(
            "comment_withdrawn",
            f"This was withdrawn at {comment.withdrawn_at:%d %b %H:%M}.",
            at=comment.withdrawn_at,
            state="withdrawn",
        )


def _told(comment: Comment) -> dict[str, object]:
    """What the ledger says of a comment; of one on a sealed gate it may say the digest only."""
    digest = hashlib.sha256(comment.text.encode()).hexdigest()
    sealed = comment.gate is not None and comment.gate.sealed
    return {
        "text_digest": digest,
        **({} if sealed else {"text": comment.text}),
        "mentions": list(comment.mentions.values()),
        **({} if sealed else {"anchor": comment.anchor, "place": comment.place}),
        "gate": comment.gate_id,
        "reply_to": comment.reply_to_id,
    }


def _record(command: Command, comment: Comment, event: str, **data: object) -> None:
    command.recorder.record(
        comment.stream, event, subject=("comment", comment.pk), data=data, topic=event
    )


def summary(comment: Comment) -> dict[str, object]:
    """Return what an answer says of a comment."""
    state = "withdrawn" if comment.withdrawn_at else "resolved" if comment.resolved_at else "open"
    return {
        "comment": comment.pk,
        "use_case": comment.use_case_id,
        "run": comment.run_id,
        "gate": comment.gate_id,
        "state": state,
        "mentions": sorted(comment.mentions),
    }
