"""Records of flow for tests: days counted from one Monday."""

from datetime import UTC, datetime, timedelta

from pipelines.insights.flow.records import (
    GateRecord,
    HandOffRecord,
    ReturnRecord,
    StageVisit,
    Window,
)
from pipelines.insights.flow.records import RunRecord as Run

ZERO = datetime(2026, 1, 5, tzinfo=UTC)


def day(number: float) -> datetime:
    return ZERO + timedelta(days=number)


def window(since: float, until: float) -> Window:
    return Window(day(since), day(until), day(since))


def visit(
    started: float,
    finished: float | None = None,
    *,
    stage: str = "frame",
    run: int = 1,
    position: int = 0,
    state: str = "",
    **times: float | str | int | None,
) -> StageVisit:
    """A visit; times are days."""
    named = ("offered", "accepted", "taken", "submitted", "handed", "returned")
    more: dict[str, object] = {
        name: day(value) if name in named and isinstance(value, int | float) else value
        for name, value in times.items()
    }
    if isinstance(more.get("active"), int | float):
        more["active"] = timedelta(days=float(str(more["active"])))
    given: dict[str, object] = {
        "id": int(started * 1000) + position,
        "run": run,
        "use_case": f"case-{run}",
        "blueprint": "plan",
        "tier": None,
        "stage": stage,
        "position": position,
        "round": 1,
        "persona": "BA",
        "state": state or ("ACTIVE" if finished is None else "DONE"),
        "started": day(started),
        "finished": None if finished is None else day(finished),
    }
    return StageVisit(**{**given, **more})  # type: ignore[arg-type]


def hand_off(
    offered: float,
    answered: float | None = None,
    state: str = "ACCEPTED",
    *,
    pair: tuple[str, str] = ("BA", "DE"),
    code: str = "",
    stages: tuple[str, str] = ("frame", "source"),
) -> HandOffRecord:
    at = None if answered is None else day(answered)
    number = int(offered * 1000)
    return HandOffRecord(number, 1, "case-1", *stages, *pair, state, day(offered), at, code)


def gate(
    opened: float,
    closed: float | None,
    state: str = "APPROVED",
    *,
    stage: str = "frame",
    position: int = 0,
    run: int = 1,
    code: str = "",
    deciders: int = 1,
) -> GateRecord:
    at = None if closed is None else day(closed)
    number = int(opened * 1000)
    return GateRecord(
        number, run, "case-1", stage, position, "BA", state, day(opened), at, code, deciders
    )


def returned(
    at: float, source: str, target: str, code: str, *, kind: str = "gate", run: int = 1
) -> ReturnRecord:
    rework = timedelta(days=1)
    return ReturnRecord(
        int(at * 1000), run, "case-1", day(at), kind, source, target, "DS", "BA", code, "", rework
    )


def run(started: float, finished: float | None, number: int = 1, **more: object) -> Run:
    ended = None if finished is None else day(finished)
    given: dict[str, object] = {
        "id": number,
        "use_case_id": number,
        "use_case": f"case-{number}",
        "title": "A case",
        "label": "Run 1",
        "blueprint": "plan",
        "tier": None,
        "state": "RUNNING" if finished is None else "SUCCEEDED",
        "started": day(started),
        "finished": ended,
        "live": ended,
    }
    return Run(**{**given, **more})  # type: ignore[arg-type]
