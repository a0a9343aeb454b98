"""The same figures in a database with a long past: are they within 1.3 times those of an empty one?

    python -m benchmarks.volume

First on an empty database, then with 10,000 open runs of ten open work items each, a million past
attempts and five million events, written as copies of two runs that Baton itself made: a finished
one of six steps and an open one. Copies are written past the triggers, as the owner of the
database; their chains are those of the original, so `manage.py verify --full` would refuse them.
In the end, the plans of the five hottest statements.
"""

import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg2
from django.db import connection
from django.test import Client

from benchmarks import decisions, engine, ramp
from benchmarks.served import URL, Person, percentile, publish, report, served, until, use_case
from personas import ledger
from pipelines import catalogue
from pipelines.blueprints.shipped import shipped_text
from pipelines.runs import claims, dispatch
from pipelines.runs.actions import runs
from pipelines.runs.models import Run
from pipelines.usecases.actions import create_use_case, give_seat
from pipelines.usecases.models import BlueprintVersion, UseCase
from portal import embedded

OPEN_RUNS = int(os.environ.get("OPEN_RUNS", "10000"))
PAST_RUNS = int(os.environ.get("PAST_RUNS", "170000"))  # six attempts each
EVENTS = int(os.environ.get("EVENTS", "5000000"))
PLACES = 100  # use cases the open runs are spread over
ITEMS = 10
STRIDE = 10_000  # between the ids of two copies; the originals' are below
TABLES = ("runs_run", "runs_stage", "runs_step", "runs_attempt", "runs_workitem")
# What of a copy is not the original's: ids move along, what is unique gets the copy's number.
MOVED = ("id", "run_id", "stage_id", "step_id", "result_id", "stream_id", "subject_id")


@contextmanager
def owner() -> Iterator[Any]:
    """A cursor of the database's superuser, past every trigger."""
    places = embedded.configured()
    raw = psycopg2.connect(host=str(places.sockets), port=5432, user="postgres", dbname="baton")
    raw.autocommit = True
    try:
        with raw.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SET synchronous_commit = off")
            yield cursor
    finally:
        raw.close()


def copy(cursor: Any, table: str, condition: str, copies: tuple[int, int], **changed: str) -> None:
    """Write copies of the rows; `changed` gives expressions over `o` (the original) and `k`."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
        " AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    )
    columns = [name for (name,) in cursor.fetchall()]
    values = [
        changed.get(name) or (f"o.{name} + k * {STRIDE}" if name in MOVED else f'o."{name}"')
        for name in columns
    ]
    names = ", ".join(f'"{name}"' for name in columns)
    cursor.execute(
        f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {', '.join(values)}"
        f" FROM {table} o, generate_series(%s, %s) k WHERE {condition}",
        copies,
    )


def copy_run(cursor: Any, run: int, copies: tuple[int, int], places: Sequence[int] = ()) -> None:
    """Write copies of a run with all that belongs to it, each two minutes before the last."""
    spread = f"(ARRAY{list(places)})[1 + k %% {len(places)}]" if places else "o.use_case_id"
    back = "- k * interval '120 s'"
    copy(cursor, "runs_run", f"o.id = {run}", copies,
         number="o.number + k + 100000", use_case_id=spread,
         moved_at=f"o.moved_at {back}", created_at=f"o.created_at {back}")  # fmt: skip
    copy(cursor, "runs_stage", f"o.run_id = {run}", copies)
    copy(cursor, "runs_step", f"o.run_id = {run}", copies)
    copy(cursor, "runs_attempt", f"o.run_id = {run}", copies,
         cache_key="md5(o.cache_key || k) || md5(k || o.cache_key)",
         finished_at=f"o.finished_at {back}", started_at=f"o.started_at {back}",
         due_at=f"o.due_at {back}")  # fmt: skip
    copy(cursor, "runs_workitem", f"o.run_id = {run}", copies)
    copy(cursor, "personas_stream", f"o.kind = 'run' AND o.key = '{run}'", copies,
         key=f"(o.key::bigint + k * {STRIDE})::text")  # fmt: skip
    copy(cursor, "personas_event",
         f"o.stream_id = (SELECT id FROM personas_stream WHERE kind = 'run' AND key = '{run}')",
         copies, at=f"o.at {back}", command="gen_random_uuid()")  # fmt: skip


def items_plan() -> dict[str, Any]:
    """One stage of a business analyst with ten forms."""
    key = f"forms-{uuid.uuid4().hex[:8]}"
    fields = [{"key": "note", "label": "Note", "kind": "text"}]
    return {
        "key": key, "title": key, "kind": "main",
        "stages": [
            {"key": "one", "title": "One", "persona": "BA", "target": "P30D", "items": [
                {"key": f"form{n}", "kind": "form", "title": f"Form {n}", "fields": fields}
                for n in range(ITEMS)
            ]},
        ],
    }  # fmt: skip


def fill(
    lena: Person, place: UseCase, version: BlueprintVersion, places: Sequence[int]
) -> dict[str, int]:
    """Write the past and the open runs; returns how many rows there are."""
    done = runs.create(actor=lena.actor, use_case=place, version=version, seed=1).data["run"]
    until(lambda: Run.objects.get(pk=done).state == "SUCCEEDED", every=0.05)
    form = publish(items_plan())
    elsewhere = UseCase.objects.get(pk=places[0])  # where nobody waits for all runs to end
    waits = runs.create(actor=lena.actor, use_case=elsewhere, version=form).data["run"]
    with owner() as cursor:
        cursor.execute(
            "SELECT count(*) FROM personas_event e JOIN personas_stream s ON s.id = e.stream_id"
            " WHERE s.kind = 'run' AND s.key = %s", [str(done)],
        )  # fmt: skip
        each = cursor.fetchone()[0]
        past = max(PAST_RUNS, EVENTS // each + 1)
        for first in range(1, past + 1, 20_000):
            copy_run(cursor, done, (first, min(past, first + 19_999)))
        copy_run(cursor, waits, (1, OPEN_RUNS), places)
        for table in (*TABLES, "personas_stream", "personas_event"):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
        cursor.execute("VACUUM ANALYZE")
    found = {}
    with connection.cursor() as cursor:
        for what, sql in (
            ("open_runs", "SELECT count(*) FROM runs_run WHERE state = 'RUNNING'"),
            ("attempts", "SELECT count(*) FROM runs_attempt"),
            ("events", "SELECT count(*) FROM personas_event"),
            ("open_items", "SELECT count(*) FROM runs_workitem WHERE state = 'OPEN'"),
            ("mib", "SELECT pg_database_size(current_database()) >> 20"),
        ):
            cursor.execute(sql)
            found[what] = cursor.fetchone()[0]
    return found


def look(person: Person, what: str) -> None:
    """How long the person's inbox takes, as the page shows it and as the API answers."""
    signed_in = Client()
    signed_in.force_login(person.user)
    cookies = {name: one.value for name, one in signed_in.cookies.items()}
    spent: dict[str, list[float]] = {"api": [], "page": []}
    with httpx.Client(base_url=URL, cookies=cookies, timeout=60) as browser:
        for _ in range(45):
            for kind, client, path in (("api", person.http, "inbox"), ("page", browser, "/")):
                began = time.perf_counter()
                answer = client.get(path)
                assert answer.status_code == 200, answer.text[:300]
                spent[kind].append(time.perf_counter() - began)
    for kind, took in spent.items():
        report(
            "volume", f"inbox, {what}, {kind}", p50_ms=percentile(took[5:], 0.5),
            p95_ms=percentile(took[5:], 0.95), bar_p95_ms=100,
        )  # fmt: skip


def plans(values: Mapping[str, tuple[str, Sequence[Any] | Mapping[str, Any]]]) -> None:
    """Print how PostgreSQL answers each statement, in a transaction that is undone."""
    with connection.cursor() as cursor:
        for name, (sql, given) in values.items():
            cursor.execute("BEGIN")
            try:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}", given)
                print(f"-- {name}", *(row[0] for row in cursor.fetchall()), sep="\n", flush=True)
            finally:
                cursor.execute("ROLLBACK")


def hottest(run: int) -> dict[str, tuple[str, Sequence[Any] | Mapping[str, Any]]]:
    """The statements of which most is sent, with values as they have."""
    claim = {
        "queues": ["cpu"], "operations": sorted(catalogue.OPERATIONS), "owner": str(uuid.uuid4()),
        "worker": "explained", "lease": 60, "window": 16,
    }  # fmt: skip
    stages = list(Run.objects.get(pk=run).stages.values_list("pk", flat=True))
    return {
        "claim": (claims.CLAIM, claim),
        "lock the run": ("SELECT * FROM runs_run WHERE id = %s FOR UPDATE", [run]),
        "steps of its stages": ("SELECT * FROM runs_step WHERE stage_id = ANY(%s)", [stages]),
        "look into the cache": (dispatch.CACHED, ["0" * 64]),
        "the head of its stream": (ledger.LOCK_HEAD, ["run", str(run)]),
    }


def measure(lena: Person, deciders: list[Person], place: UseCase) -> None:
    """The engine's figures: alone, at once, decided by one and by fifty, under a rate."""
    version = publish(shipped_text("sequence"))
    gated = publish(decisions.plan())
    engine.alone(lena, place, version)
    engine.at_once(lena, place, version)
    ramp.bear(lena, place, version, 120, 20)
    decisions.alone(lena, deciders[0], place, gated)
    decisions.crowd(lena, deciders, place, gated)


def main() -> None:
    """Measure, fill, measure again, explain."""
    with served():
        lena = Person("lena", "MLE")
        amara = Person("amara", "BA")
        deciders = [Person(f"decider-{n}", "DS") for n in range(50)]
        place = use_case(lena, [*deciders, amara])
        version = publish(shipped_text("sequence"))
        own = UseCase.objects.get(
            pk=create_use_case(actor=lena.actor, title="Her own").data["use_case"]
        )
        give_seat(actor=lena.actor, use_case=own, user=amara.user, persona="BA")
        others = [
            create_use_case(actor=lena.actor, title=f"Place {n}").data["use_case"]
            for n in range(PLACES - 1)
        ]
        measure(lena, deciders, place)
        began = time.perf_counter()
        rows = fill(lena, place, version, [own.pk, *others])
        report("volume", "filled", seconds=round(time.perf_counter() - began), **rows)
        measure(lena, deciders, place)
        look(amara, f"{OPEN_RUNS // PLACES * ITEMS} of {OPEN_RUNS * ITEMS} open items")
        played = Run.objects.filter(version=version, state="SUCCEEDED").latest("pk")
        plans(hottest(played.pk))


if __name__ == "__main__":
    main()
