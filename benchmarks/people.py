"""A Baton of its own in a fresh folder, one lane, and people who act at once.

Import it before anything of Django: it names the folder and sets Django up.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(tempfile.mkdtemp(prefix="baton-bench-"))
os.environ |= {
    "BATON_VAR": str(FOLDER / "var"),
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

import django  # noqa: E402

django.setup()

import psutil  # noqa: E402

from benchmarks.flights import ITEMS, PARAMETERS, SEED  # noqa: E402
from personas.ledger import Actor  # noqa: E402
from personas.models import User  # noqa: E402
from pipelines.artefacts.actions import keep  # noqa: E402
from pipelines.runs.actions import gates, handoffs, items, runs  # noqa: E402
from pipelines.runs.gaps import WALK_THROUGH  # noqa: E402
from pipelines.runs.models import Attempt, Gate, HandOff, Run, WorkItem  # noqa: E402
from pipelines.runs.worker import Worker  # noqa: E402
from pipelines.usecases.actions import create_use_case, give_seat  # noqa: E402
from pipelines.usecases.models import BlueprintVersion, UseCase  # noqa: E402
from portal import embedded  # noqa: E402
from portal.demo import flights, script, stage  # noqa: E402
from portal.demo.cast import PLAYERS  # noqa: E402

OPEN_ITEMS = ("OPEN", "ASSIGNED", "IN_PROGRESS")
WALKED = {WALK_THROUGH.key: "2026-11-23, Giver and Taker"}
STEADY_SECONDS = 2.0  # without growth of the child: its imports are done


def begin() -> embedded.Hold | None:
    """Start the servers, make tables, people and blueprints; release the answer in the end."""
    hold = embedded.ensure_configured()
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"], check=True, cwd=ROOT
    )
    stage.prepare()
    return hold


def tables() -> Path:
    """Write the files of the use case; returns their folder."""
    folder = FOLDER / "tables"
    folder.mkdir()
    flights.write_known(folder)
    return folder


class Carrying:
    """One use case carried through its stages by people who never wait, and one lane."""

    def __init__(self, files: Path) -> None:
        self.forms = dict(ITEMS)
        self.users = {player.persona: User.objects.get(username=player.login) for player in PLAYERS}
        analyst = Actor.person(self.users["BA"])
        made = create_use_case(
            actor=analyst,
            title=script.TITLE,
            question=script.QUESTION,
            blueprint=script.BLUEPRINT,
            inputs={"tables": [_kept(path) for path in sorted(files.glob("*.csv"))]},
        )
        self.use_case = UseCase.objects.get(pk=made.data["use_case"])
        for persona, user in self.users.items():
            if persona != "BA":
                give_seat(actor=analyst, use_case=self.use_case, user=user, persona=persona)
        self.worker = Worker(queues=["cpu", "memory"], lanes=1)
        self.people_seconds = 0.0

    def warm(self) -> None:
        """Start the child, and wait until it has imported what it imports beforehand."""
        self.worker.warm()
        lane, seen, since = self.worker.lanes[0], -1, time.monotonic()
        while time.monotonic() - since < STEADY_SECONDS:
            time.sleep(0.1)
            if lane.memory() > seen:
                seen, since = lane.memory(), time.monotonic()

    def start(self, changed: Mapping[str, Any] | None = None, *, seed: int = SEED) -> Run:
        """Start a run of all rows, with some parameters changed."""
        made = runs.create(
            actor=Actor.person(self.users["BA"]),
            use_case=self.use_case,
            version=BlueprintVersion.objects.get(
                blueprint=self.use_case.blueprint, state="published"
            ),
            parameters={**PARAMETERS, **(changed or {})},
            seed=seed,
        )
        return Run.objects.get(pk=made.data["run"])

    def carry(self, run: Run, *, to: str) -> None:
        """Work and decide until the baton is offered to a stage. Raises RuntimeError if stuck."""
        while not HandOff.objects.filter(run=run, target__key=to, state="OFFERED").exists():
            done = self.worker.drain()
            began = time.perf_counter()
            acted = self._act(run)
            self.people_seconds += time.perf_counter() - began
            if not done and not acted and Run.objects.get(pk=run.pk).state != "RUNNING":
                raise RuntimeError(f"{run} ended on the way")
            if not done and not acted and not _busy(run, to):
                raise RuntimeError(f"nothing moves: {_red(run)}")

    def _act(self, run: Run) -> bool:
        acted = False
        waiting = WorkItem.objects.filter(run=run, state__in=OPEN_ITEMS).exclude(kind="attention")
        for item in waiting.select_related("stage"):
            items.complete(
                actor=Actor.person(self.users[item.persona_id]),
                item=item,
                data=self.forms[item.stage.key, item.key],
                version=item.version,
            )
            acted = True
        for gate in Gate.objects.filter(run=run, state="OPEN"):
            for rule in gate.policy["rules"]:
                decider = Actor.person(self.users[rule["persona"]])
                gates.decide(actor=decider, gate=gate, verdict="approve", seen=gate.subject_digest)
                acted = True
        for asked in WorkItem.objects.filter(run=run, kind="attention", closed_at=None):
            if asked.context.get("cause") == "offer":
                handed = HandOff.objects.select_related("source").get(pk=asked.context["hand_off"])
                giver = Actor.person(self.users[handed.source.persona_id])
                handoffs.offer(actor=giver, hand_off=handed, answers=WALKED)
                acted = True
        for offered in HandOff.objects.filter(run=run, state="OFFERED").select_related("target"):
            if offered.target.key != "register":
                taker = Actor.person(self.users[offered.target.persona_id])
                handoffs.accept(actor=taker, hand_off=offered)
                acted = True
        return acted

    def close(self) -> None:
        """End the child."""
        self.worker.stop()
        for lane in self.worker.lanes:
            lane.kill()

    def cpu(self) -> float:
        """Seconds that this process and the lane's children have computed so far."""
        total = sum(os.times()[:2])
        child = self.worker.lanes[0].child
        if child is not None:
            total += sum(psutil.Process(child.pid).cpu_times()[:4])
        return total


def _kept(path: Path) -> dict[str, str]:
    found = keep(path, media="csv", name=path.name)
    return {"name": path.stem, "digest": found.digest, "media": "csv"}


def _busy(run: Run, to: str) -> bool:
    if HandOff.objects.filter(run=run, target__key=to, state="OFFERED").exists():
        return True
    return Attempt.objects.filter(run=run, state__in=("QUEUED", "RUNNING")).exists()


def _red(run: Run) -> str:
    causes = WorkItem.objects.filter(run=run, kind="attention", closed_at=None)
    return "; ".join(f"{item.title} {item.context}" for item in causes) or "no cause is open"
