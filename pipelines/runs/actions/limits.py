"""Limits: set one, or take it away."""

from personas.commands import Answer, Command, execute
from personas.errors import Invalid, NotAllowed
from personas.ledger import Actor
from pipelines.runs import claims
from pipelines.runs.models import Limit

STREAM = ("engine", "limits")
LARGEST = 1000


def set_limit(*, actor: Actor, kind: str, key: str, at_most: int | None) -> Answer:
    """Let at most so many attempts run at once; None takes the limit away.

    What runs already goes on. Raises Invalid, and NotAllowed without `operations.manage`.
    """
    if actor.user is not None and not actor.user.can("operations.manage"):
        raise NotAllowed("operations.manage", "Limits need the capability operations.manage.")
    problems = {}
    if kind not in Limit.KINDS:
        problems["kind"] = [f"must be one of {', '.join(Limit.KINDS)}, got {kind!r}"]
    if not key or len(key) > 80:
        problems["key"] = ["must name one of them, or be * for each"]
    if at_most is not None and not 0 <= at_most <= LARGEST:
        problems["at_most"] = [f"must be 0 to {LARGEST}, got {at_most}"]
    if problems:
        raise Invalid("The limit cannot be set.", fields=problems)

    def body(command: Command, _locked: None) -> dict[str, object]:
        if at_most is None:
            Limit.objects.filter(kind=kind, key=key).delete()
        else:
            given = {"at_most": at_most, "changed_at": command.now}
            Limit.objects.update_or_create(kind=kind, key=key, defaults=given)
        data: dict[str, object] = {"kind": kind, "key": key, "at_most": at_most}
        command.recorder.record(STREAM, "limit.set", subject=("limit", None), data=data)
        return data

    answer = execute(actor=actor, name="set_limit", lock=lambda: None, body=body)
    claims.LIMITS.forget()
    return answer
