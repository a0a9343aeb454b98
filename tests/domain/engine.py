"""For tests of the engine: blueprints as dictionaries, and the worker's part without processes.

`perform` claims and settles as a worker does, in the test's own transaction.
"""

import itertools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from personas.commands import Answer
from personas.errors import Invalid
from personas.ledger import ENGINE
from personas.models import Event, User
from pipelines import catalogue
from pipelines.artefacts.actions import keep
from pipelines.runs import claims
from pipelines.runs.actions import attempts, gates, handoffs, items, runs
from pipelines.runs.claims import Claim
from pipelines.runs.models import Attempt, Gate, HandOff, Run, Stage, Step, WorkItem
from pipelines.usecases.actions import create_use_case, give_seat, publish_blueprint
from pipelines.usecases.models import BlueprintVersion, UseCase
from tests.beginnings import Beginning
from tests.cast import PEOPLE, Cast, acting

_NUMBERS = itertools.count(1)
_SEATED: dict[tuple[object, ...], Beginning] = {}  # by who is there, and who has no seat
OWNER = uuid4()
OPERATIONS = sorted(catalogue.OPERATIONS)


def step(key: str, **more: Any) -> dict[str, Any]:
    """A step that computes nothing."""
    return {"key": key, "operation": "noop", **more}


def form(key: str, **more: Any) -> dict[str, Any]:
    """A work item with one required text."""
    fields = [{"key": "text", "label": "Text", "kind": "text", "required": True}]
    return {"key": key, "kind": "form", "title": key.title(), "fields": fields, **more}


def gate(*rules: str | tuple[str, int], **more: Any) -> dict[str, Any]:
    """A gate that asks one person of each persona named, or (persona, how many)."""
    pairs = [(rule, 1) if isinstance(rule, str) else rule for rule in rules]
    return {"rules": [{"persona": code, "min": least} for code, least in pairs], **more}


def stage(key: str, persona: str, **more: Any) -> dict[str, Any]:
    """A stage with one step, unless told otherwise; its gate sends back to itself."""
    if more.get("gate", {}).get("rules"):
        more["gate"].setdefault("send_back_to", [key])
    if "steps" not in more and "items" not in more:
        more["steps"] = [step("work", params={"message": key})]
    return {"key": key, "title": key.title(), "persona": persona, **more}


def plan(*stages: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A blueprint of its own key."""
    key = f"plan-{next(_NUMBERS)}-{uuid4().hex[:6]}"
    return {"key": key, "title": key, "kind": "main", "stages": list(stages), **more}


def publish(source: Mapping[str, Any]) -> BlueprintVersion:
    """Publish a blueprint."""
    try:
        answer = publish_blueprint(actor=ENGINE, source=source)
    except Invalid as error:
        raise AssertionError(error.fields) from error
    return BlueprintVersion.objects.get(pk=answer.data["version"])


def use_case(cast: Cast, *, without: Sequence[str] = ("iris",)) -> UseCase:
    """Amara's use case, on which everybody with a persona holds all their seats."""
    beginning = _SEATED.setdefault((cast.personas(), *without), Beginning())
    return UseCase.objects.get(pk=beginning.begin(lambda: _seated(cast, without)))


def _seated(cast: Cast, without: Sequence[str]) -> int:
    answer = create_use_case(actor=acting(cast.amara), title=f"Use case {next(_NUMBERS)}")
    made = UseCase.objects.get(pk=answer.data["use_case"])
    for login, (_, personas, _) in PEOPLE.items():
        for persona in personas if login not in ("amara", *without) else ():
            give_seat(
                actor=acting(cast.amara), use_case=made, user=getattr(cast, login), persona=persona
            )
    return made.pk


def run(
    cast: Cast,
    *stages: Mapping[str, Any],
    on: UseCase | None = None,
    by: User | None = None,
    plan_has: Mapping[str, Any] | None = None,
    **more: Any,
) -> Run:
    """A started run of a blueprint of these stages, by Amara unless told otherwise."""
    answer = runs.create(
        actor=acting(by or cast.amara),
        use_case=on or use_case(cast),
        version=publish(plan(*stages, **(plan_has or {}))),
        **more,
    )
    return Run.objects.get(pk=answer.data["run"])


# --- the worker's part -------------------------------------------------------------------------


def claim(*, owner: Any = OWNER, lease: float = 60) -> Claim:
    """Claim the next attempt, which must be there."""
    held = maybe_claim(owner=owner, lease=lease)
    assert held is not None, "nothing is queued"
    return held


def maybe_claim(*, owner: Any = OWNER, lease: float = 60) -> Claim | None:
    """Claim the next attempt, if there is one."""
    return claims.claim(
        queues=["cpu"], operations=OPERATIONS, owner=owner, worker="test", lease=lease
    )


def settle(held: Claim, **facts: Any) -> Answer:
    """Complete a claimed attempt; equal parameters make an equal output."""
    return attempts.complete(
        held=held,
        outputs={"result": output(str(sorted(held.params.items())))},
        facts={"message": held.params.get("message", ""), **facts},
        usage={},
        log="",
    )


def fail(held: Claim, *, retryable: bool = False, code: str = "broken") -> Answer:
    """Fail a claimed attempt."""
    error = {"code": code, "message": "it broke", "retryable": retryable}
    return attempts.fail(held=held, error=error, usage={}, log="")


def output(text: str) -> dict[str, Any]:
    """An output that is really stored."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as stream:
        stream.write(text)
        stream.flush()
        kept = keep(Path(stream.name), media="json")
    return {"digest": kept.digest, "size": kept.size, "media": "json", "name": "result"}


def perform(limit: int = 200) -> int:
    """Perform all that is queued, as a worker would; returns how many attempts."""
    for done in range(limit):
        held = maybe_claim()
        if held is None:
            return done
        settle(held)
    raise AssertionError(f"still not done after {limit} attempts")


def work(cast: Cast, made: Run) -> None:
    """Let people and workers do all there is, up to the next gate or hand-off."""
    while True:
        done = perform()
        forms = WorkItem.objects.filter(run=made, closed_at=None).exclude(kind="attention")
        for item in forms:
            fill(item.holder or cast.of(item.persona_id), item)
        if not done and not forms:
            return


# --- looking things up -------------------------------------------------------------------------


def states(made: Run) -> dict[str, str]:
    """The state of every current stage."""
    return dict(made.stages.filter(current=True).values_list("key", "state"))


def stage_of(made: Run, key: str) -> Stage:
    """The current round of a stage."""
    return Stage.objects.get(run=made, key=key, current=True)


def step_of(made: Run, key: str, within: str = "") -> Step:
    """The latest step of that key."""
    rows = Step.objects.filter(run=made, key=key)
    return (rows.filter(stage__key=within) if within else rows).latest("id")


def attempt_of(made: Run, key: str, within: str = "") -> Attempt:
    """The latest attempt of the latest step of that key."""
    return step_of(made, key, within).attempts.latest("number")


def item_of(made: Run, key: str) -> WorkItem:
    """The latest work item of that key."""
    return WorkItem.objects.filter(run=made, key=key).latest("id")


def attention(made: Run) -> list[str]:
    """What asks for a person's attention now."""
    rows = WorkItem.objects.filter(run=made, kind="attention", closed_at=None)
    return [row.context["cause"] for row in rows]


def gate_of(made: Run, key: str = "") -> Gate:
    """The latest gate, of that stage where one is named."""
    rows = Gate.objects.filter(run=made)
    return (rows.filter(stage__key=key) if key else rows).latest("id")


def hand_off_of(made: Run) -> HandOff:
    """The latest hand-off."""
    return HandOff.objects.filter(run=made).latest("id")


def events_of(made: Run) -> list[Event]:
    """The run's events, in order."""
    rows = Event.objects.filter(stream__kind="run", stream__key=str(made.pk))
    return list(rows.order_by("seq"))


def events(made: Run) -> list[str]:
    """The types of the run's events, in order."""
    return [event.type for event in events_of(made)]


# --- people's part -----------------------------------------------------------------------------


def decide(user: User, on: Gate, verdict: str = "approve", **more: Any) -> Answer:
    """Decide on what is shown."""
    if verdict in ("request_changes", "reject"):
        more.setdefault("reason", "not good enough")
        more.setdefault("reason_code", "quality")
    more.setdefault("seen", on.subject_digest)
    return gates.decide(actor=acting(user), gate=on, verdict=verdict, **more)


def fill(user: User, item: WorkItem, **data: Any) -> Answer:
    """Complete a work item."""
    given = data or {"text": "done"}
    return items.complete(actor=acting(user), item=item, data=given, version=item.version)


def hand_over(sender: User, receiver: User, made: Run, answers: Sequence[str] = ()) -> None:
    """Offer (where it did not offer itself) and accept."""
    passing = hand_off_of(made)
    if passing.state == "PREPARING":
        given = dict.fromkeys(answers, "2024-01-02, giver and taker")
        handoffs.offer(actor=acting(sender), hand_off=passing, answers=given)
    handoffs.accept(actor=acting(receiver), hand_off=passing)
