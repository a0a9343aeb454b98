"""The play: seven people carry one use case over the REST API, from the question to the watch."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.demo import flights, script
from portal.demo.cast import BY_PERSONA
from portal.demo.desk import Desk, Refused
from portal.demo.live import Screen
from portal.demo.traffic import Caller

TICK = 0.25  # seconds between two looks at the steps
LOOK_EVERY = 2.0  # seconds between two looks at what people could do, where no step has ended
CALL_EVERY = 1.0  # seconds between two batches of callers, so that what counts them keeps up
LABELLED_UNTIL = "2013-11-25"  # labels come days late: the last week of November has none yet
PATIENCE = 900.0  # seconds without any movement
OPEN_ITEMS = ("OPEN", "ASSIGNED", "IN_PROGRESS")


class Stalled(Exception):
    """Nothing moves any more; the message says what is open."""


@dataclass
class Play:
    """One use case being played. `desks` holds a way in for each persona."""

    desks: Mapping[str, Desk]
    screen: Screen
    caller: Caller
    use_case: str = ""
    run: int = 0
    told: set[tuple[Any, ...]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    moved_at: float = field(default_factory=time.monotonic)
    called_at: float = 0.0
    only_items: bool = False  # leave gates to the person at the browser
    watch: Mapping[str, Any] = field(default_factory=lambda: script.WATCH)
    patience: float = PATIENCE
    look_every: float = LOOK_EVERY

    def frame(self, folder: Path, *, title: str) -> None:
        """The analyst brings the files and opens the use case; all take their seats."""
        paths = flights.write_known(folder)
        analyst = self.desks["BA"]
        tables = []
        for name, path in paths.items():
            with path.open("rb") as stream:
                kept = analyst.post("artefacts", files={"file": (path.name, stream, "text/csv")})
            tables.append({"name": name, "digest": kept["digest"], "media": "csv"})
            self.screen.say("BA", f"brings {path.name}, {kept['size'] / 1e6:.1f} MB")
        made = analyst.post(
            "use-cases",
            {
                "title": title,
                "question": script.QUESTION,
                "blueprint": script.BLUEPRINT,
                "parameters": {**script.PARAMETERS, "joins": flights.JOINS},
                "inputs": {"tables": tables},
            },
        )
        self.use_case = made["key"]
        for persona, player in BY_PERSONA.items():
            if persona != "BA":
                analyst.post(
                    f"use-cases/{self.use_case}/seats",
                    {"user": player.login, "persona": persona},
                )
        self.screen.say("BA", f"asks: {script.QUESTION}")
        self.run = analyst.post(f"use-cases/{self.use_case}/runs", {})["run"]

    def until(self, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Let everybody act until `done` says so of the run. Raises Stalled."""
        self.moved_at = time.monotonic()
        looked_at = 0.0
        acted = True
        while True:
            news = self._watch_steps()
            run: dict[str, Any] = self.desks["OPS"].get(f"runs/{self.run}")
            if done(run) or run["state"] not in ("RUNNING", "PENDING"):
                return run
            # Nobody has anything to do until a step ends: asking would only slow that step.
            if acted or news or time.monotonic() - looked_at > self.look_every:
                looked_at = time.monotonic()
                acted = self._items() | self._hand_offs() | self._gates()
            acted |= self._traffic(run)
            if acted:
                self.moved_at = time.monotonic()
            if time.monotonic() - self.moved_at > self.patience:
                raise Stalled(self._open())
            time.sleep(0 if acted else TICK)

    def _open(self) -> str:
        run = self.desks["OPS"].get(f"runs/{self.run}")
        states = ", ".join(f"{s['key']} {s['state']}" for s in run["stages"])
        return f"nothing has moved for {self.patience:.0f} s: {states}"

    def _first(self, *fact: Any) -> bool:
        """Whether this is news."""
        if fact in self.told:
            return False
        self.told.add(fact)
        return True

    def _watch_steps(self) -> bool:
        """Tell which attempts have ended and show those under way; whether one has ended."""
        news = False
        attempts = self.desks["MLE"].get(f"runs/{self.run}/attempts", page_size=50)["results"]
        running = [attempt for attempt in attempts if attempt["state"] == "RUNNING"]
        for attempt in running:
            since = attempt["started_at"]
            attempt["seconds"] = _age(since) if since else 0
        self.screen.moving(running)
        for attempt in reversed(attempts):
            if attempt["finished_at"] and self._first("attempt", attempt["id"]):
                self.moved_at = time.monotonic()
                self._tell_attempt(attempt)
                news = True
        return news

    def _tell_attempt(self, attempt: dict[str, Any]) -> None:
        name = f"{attempt['stage_key']} · {attempt['step_key']}"
        if attempt["state"] == "DEFERRED":
            if self._first("deferred", attempt["step"]):
                self.screen.say("", f"{name}: {attempt['progress_text']}", style="dim")
        elif attempt["cached_from"]:
            self.screen.say("", f"{name}: served from the cache", style="green")
        elif attempt["state"] == "SUCCEEDED":
            rows, spent = attempt["progress_rows"], attempt["usage"].get("wall_seconds") or 0
            speed = f", {rows / spent:,.0f} rows/s" if rows and spent else ""
            self.screen.say("", f"{name}: {spent:.1f} s{speed}", style="dim")
        else:
            detail = attempt["error"].get("message", "")
            self.screen.say("", f"{name}: {attempt['state']} {detail}", style="red")

    def _items(self) -> bool:
        acted = False
        items = self.desks["OPS"].get(f"runs/{self.run}/items", page_size=30)["results"]
        for item in items:
            if item["state"] not in OPEN_ITEMS:
                continue
            if item["kind"] == "attention":
                acted |= self._attention(item)
            else:
                self._fill_in(item)
                acted = True
        return acted

    def form(self, key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
        """Return what is filled into a work item, by its stage and key; None for an unknown one."""
        if key == script.CHOICE:
            return script.CHOICES[min(round, max(script.CHOICES))]
        return script.ITEMS.get(key)

    def _fill_in(self, item: dict[str, Any]) -> None:
        key = (item["stage_key"], item["key"])
        data = self.form(key, round=item["round"])
        if data is None:
            raise Stalled(f"the script has nothing for the work item {key}")
        self.desks[item["persona"]].post(
            f"items/{item['id']}/complete", {"data": data, "version": item["version"]}
        )
        self.screen.say(item["persona"], f"completes “{item['title']}”")

    def _attention(self, item: dict[str, Any]) -> bool:
        if item["context"].get("cause") != "offer":
            if self._first("attention", item["id"]):
                red = ", ".join(item["context"].get("checks", []))
                self.screen.say(item["persona"], f"{item['title']} ({red})", style="yellow")
            return False
        hand_off = item["context"]["hand_off"]
        shown = self.desks[item["persona"]].get(f"hand-offs/{hand_off}")
        both = [BY_PERSONA[shown[f"{side}_persona"]].name for side in ("source", "target")]
        said = f"{datetime.now().astimezone():%Y-%m-%d}, {' and '.join(both)}"
        answers = {entry["key"]: said for entry in shown["checklist"] if not entry.get("value")}
        self.desks[item["persona"]].post(f"hand-offs/{hand_off}/offer", {"answers": answers})
        return True

    def _hand_offs(self) -> bool:
        acted = False
        offered = self.desks["OPS"].get("hand-offs", run=self.run, state="OFFERED")["results"]
        for hand_off in offered:
            if hand_off["target_key"] == "monitor":
                self.send_labels()
            self._accept(hand_off)
            acted = True
        return acted

    def _accept(self, hand_off: dict[str, Any]) -> None:
        taker = hand_off["target_persona"]
        self.desks[taker].post(f"hand-offs/{hand_off['id']}/accept")
        self.screen.say(
            taker,
            f"accepts {hand_off['code']} from {hand_off['source_persona']}: the baton is"
            f" {BY_PERSONA[taker].name}'s",
            style="bold",
        )

    def send_labels(self) -> None:
        """What became of the flights asked about arrives late, through the API."""
        taken = 0
        for batch in self.caller.labels(until=LABELLED_UNTIL):
            self.desks["DE"].post(f"models/{self.use_case}/labels", {"labels": batch})
            taken += len(batch)
        if taken:
            self.screen.say("DE", f"reports {taken:,} late labels")

    def _gates(self) -> bool:
        acted = False
        if self.only_items:
            return False
        for gate in self.desks["OPS"].get("gates", run=self.run, state="OPEN")["results"]:
            acted |= self._decide(gate)
        return acted

    def _decide(self, gate: dict[str, Any]) -> bool:
        """Everybody asked decides; first the author tries, once, and is refused."""
        details = self.desks["DS"].get(f"gates/{gate['id']}")
        red = [check["name"] for check in details["checks"] if check["blocks"]]
        if script.UNAVAILABLE in red:
            self._send_back(gate, red)
            return True
        if red:
            return False
        if gate["persona"] == script.SELF_APPROVER and self._first("self"):
            self._try_own(gate)
        given = {decision["user"]["username"] for decision in details["decisions"]}
        acted = False
        for rule in gate["policy"]["rules"]:
            player = BY_PERSONA[rule["persona"]]
            if player.login not in given:
                self._approve(gate, rule["persona"])
                acted = True
        return acted

    def _try_own(self, gate: dict[str, Any]) -> None:
        persona = gate["persona"]
        try:
            self._verdict(gate, persona, "approve")
        except Refused as refusal:
            self.refused.append(refusal.code)
            detail = refusal.problem.get("detail")
            self.screen.say(
                persona, f"tries to approve own work: refused, {detail}", style="yellow"
            )

    def _approve(self, gate: dict[str, Any], persona: str) -> None:
        self._verdict(gate, persona, "approve", reason="The evidence holds.")
        self.screen.say(persona, f"approves {gate['stage_key']}", style="green")

    def _send_back(self, gate: dict[str, Any], red: list[str]) -> None:
        self.screen.say("", f"red: {', '.join(red)}", style="red")
        self._verdict(
            gate,
            "DS",
            "request_changes",
            reason=script.RETURN_REASON,
            reason_code="not_available",
            target="features",
        )
        self.screen.say("DS", "requests changes: air_time is not known in time", style="red")

    def _verdict(self, gate: dict[str, Any], persona: str, verdict: str, **more: str) -> None:
        self.desks[persona].post(
            f"gates/{gate['id']}/decisions",
            {"verdict": verdict, "seen": gate["subject_digest"], **more},
        )

    def _traffic(self, run: dict[str, Any]) -> bool:
        """While the release or the serving waits for callers, November's flights call."""
        waiting = {s["key"] for s in run["stages"] if s["state"] == "ACTIVE"}
        if not waiting & {"deploy", "serve"}:
            return False
        if time.monotonic() - self.called_at < CALL_EVERY:
            return False
        steps = self.desks["OPS"].all(f"runs/{self.run}/steps")
        if not any(step["state"] == "RETRY_WAIT" for step in steps):
            return False
        self.called_at = time.monotonic()
        answered = self.caller.call()
        if answered:
            self.screen.say("", f"traffic: {answered}", style="dim")
        return bool(answered)


def _age(moment: str) -> float:
    return max(0.0, datetime.now().astimezone().timestamp() - _seconds(moment))


def _seconds(moment: str | None) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0


def stage_rows(desk: Desk, run: int) -> list[dict[str, Any]]:
    """Return one row for each round of each stage of a run, for the closing table.

    Work is the time from taking the stage on to handing it in; wait is what passed before that (the
    hand-off lying on offer) and after it (the gate lying open). Both in seconds.
    """
    stages = desk.all(f"runs/{run}/stages")
    attempts = desk.all(f"runs/{run}/attempts")
    gates = desk.all("gates", run=run)
    checks = desk.all(f"runs/{run}/checks")
    by_stage = {gate["stage"]: gate for gate in gates}
    offers = {hand_off["target"]: hand_off for hand_off in desk.all("hand-offs", run=run)}
    tries: dict[int, int] = {}
    stage_of = {step["id"]: step["stage"] for step in desk.all(f"runs/{run}/steps")}
    for attempt in attempts:
        stage = stage_of.get(attempt["step"], 0)
        tries[stage] = tries.get(stage, 0) + (not attempt["cached_from"])
    return [
        _stage_row(stage, by_stage.get(stage["id"]), offers.get(stage["id"]), tries, checks)
        for stage in sorted(stages, key=lambda s: (s["activated_at"] or "9", s["position"]))
    ]


def _stage_row(
    stage: dict[str, Any],
    gate: dict[str, Any] | None,
    offer: dict[str, Any] | None,
    tries: Mapping[int, int],
    checks: list[dict[str, Any]],
) -> dict[str, Any]:
    begun, finished = _seconds(stage["activated_at"]), _seconds(stage["finished_at"])
    handed_in = _seconds(stage["submitted_at"]) or finished
    offered = _seconds(offer["offered_at"]) if offer else 0.0
    wait = (begun - offered if offered and begun else 0.0) + max(0.0, finished - handed_in)
    mine = [check for check in checks if gate and check["gate"] == gate["id"]]
    return {
        "stage": f"{stage['code']} {stage['title']}",
        "persona": stage["persona"],
        "person": stage["owner"]["name"] if stage["owner"] else "",
        "work": max(0.0, handed_in - begun) if begun else 0.0,
        "wait": wait,
        "attempts": tries.get(stage["id"], 0),
        "round": stage["round"],
        "checks": f"{sum(c['verdict'] == 'pass' for c in mine)}/{len(mine)}" if mine else "-",
        "decision": _decision(gate),
    }


def _decision(gate: dict[str, Any] | None) -> str:
    if gate is None:
        return "-"
    who = gate["closed_by"]["name"] if gate["closed_by"] else ""
    word = str(gate["state"]).lower().replace("_", " ")
    return f"{word}, {who}" if who else word
