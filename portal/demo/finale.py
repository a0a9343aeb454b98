"""The acts of the play in order: the run to the live model, the watch, the run its alert opens."""

from typing import Any

from django.conf import settings

from portal.demo.cast import BY_PERSONA
from portal.demo.desk import Refused
from portal.demo.play import Play, stage_rows

WATCH_ROWS = 5000  # rows a call once the model is live


def finale(play: Play) -> dict[str, Any]:
    """Play everything; return tables, lines and the sentence on what waits."""
    play.caller.model = play.use_case
    first = play.run
    before = _score(play)
    run = play.until(lambda run: run["state"] != "RUNNING")
    play.screen.say("", f"{run['label']} {run['state'].lower()}", style="bold")
    tables = [
        (
            f"{run['label']}: from the question to the watched model",
            stage_rows(play.desks["OPS"], first),
        )
    ]
    watch, second = _watch(play)
    tables.append((watch["label"], stage_rows(play.desks["OPS"], watch["id"])))
    after = _score(play)
    waiting = _leave_waiting(play, second)
    lines = [
        f"Steps served from the cache: {_cached(play, first)}",
        f"Refused on the way: {', '.join(play.refused) or 'nothing'}",
        f"ML Test Score: {before} before, {after} after",
    ]
    return {"tables": tables, "lines": lines, "waiting": waiting}


def _watch(play: Play) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The rest of November calls, labels follow, the watch looks; its alert opens the next run."""
    answered = ""
    while moved := play.caller.call(WATCH_ROWS):
        answered = moved
    play.screen.say("", f"traffic: {answered}", style="dim")
    play.send_labels()
    made = play.desks["DS"].post(
        f"use-cases/{play.use_case}/runs", {"blueprint": "watch", "parameters": play.watch}
    )
    play.run = made["run"]
    play.screen.say("DS", f"starts {made['label']}")
    watch = play.until(lambda run: run["state"] != "RUNNING")
    play.screen.say("", f"{watch['label']} {watch['state'].lower()}", style="bold")
    opened = [
        run
        for run in play.desks["OPS"].get("runs", use_case=play.use_case, kind="main")["results"]
        if run["number"] > 1
    ]
    if opened:
        play.screen.say("", f"its alert opened {opened[0]['label']}", style="bold")
    return watch, opened[0] if opened else None


def _leave_waiting(play: Play, second: dict[str, Any] | None) -> str:
    """The next run goes to its first gate, and waits there for a person at a browser."""
    if second is None:
        return "No alert was raised, so no further run waits."
    play.run = second["id"]
    play.only_items = True
    play.until(lambda run: any(s["state"] == "IN_REVIEW" for s in run["stages"]))
    gate = play.desks["OPS"].get("gates", run=second["id"], state="OPEN")["results"][0]
    asked = BY_PERSONA[gate["policy"]["rules"][0]["persona"]]
    return (
        f"{second['label']} waits for {asked.name}: sign in as {asked.login} and approve it at"
        f" {settings.URL}/gates/{gate['id']}/"
    )


def _cached(play: Play, run: int) -> int:
    return sum(bool(step["cached"]) for step in play.desks["OPS"].all(f"runs/{run}/steps"))


def _score(play: Play) -> str:
    try:
        found = play.desks["BA"].get(f"use-cases/{play.use_case}/readiness")
    except Refused:
        return "unknown"
    return f"{found['score']:g}"
