"""How soon search answers, with 10,000 use cases and 100,000 runs: rare words, frequent ones, none.

    python -m benchmarks.search

The rows are written past the triggers and their words by the functions that the triggers call.
Asked through Django's client, so what is measured is the server's own time, as somebody who may
read everything and as somebody with seats on ten use cases.
"""

import os
import subprocess
import sys
import time
from typing import Any

from django.test import Client

from benchmarks.served import ROOT, median, percentile, publish, report
from benchmarks.volume import owner
from personas.actions import create_user, sync_personas
from personas.ledger import ENGINE
from personas.models import User
from pipelines.blueprints.shipped import shipped_text
from pipelines.simulation.questions import QUESTIONS
from pipelines.usecases.models import BlueprintVersion
from portal import embedded

USE_CASES = int(os.environ.get("USE_CASES", "10000"))
RUNS_EACH = 10
SEATS = 10
ROUNDS = int(os.environ.get("ROUNDS", "20"))
QUERIES = (
    "flights", "late fl", "cu", "wh", "the", "run 3", "run", "part 77", "churn phone", "model card",
    "nothing of the kind", "lena",
)  # fmt: skip


def fill(cursor: Any, person: User, version: BlueprintVersion) -> None:
    """Write the use cases with their runs, and then their words."""
    titles, questions = (list(texts) for texts in zip(*QUESTIONS, strict=True))
    cursor.execute(
        "INSERT INTO usecases_usecase (key, title, question, created_by_id, parameters, inputs,"
        " draft) SELECT 'case-' || n, (%s::text[])[1 + n %% %s] || ', part ' || n / %s,"
        " (%s::text[])[1 + n %% %s], %s, '{}', '{}', false FROM generate_series(1, %s) n",
        [titles, len(titles), len(titles), questions, len(titles), person.pk, USE_CASES],
    )
    cursor.execute(
        "INSERT INTO runs_run (use_case_id, kind, number, version_id, state, parameters, inputs,"
        " seed, trigger, reason, started_at) SELECT c.id, 'main', n, %s, 'RUNNING', '{}', '{}', 1,"
        " '{}', '', now() FROM usecases_usecase c, generate_series(1, %s) n"
        " WHERE c.key LIKE 'case-%%'",
        [version.pk, RUNS_EACH],
    )
    cursor.execute(
        "SELECT search_keep_use_cases(VARIADIC ARRAY(SELECT id FROM usecases_usecase));"
        " SELECT search_keep_runs(VARIADIC ARRAY(SELECT id FROM runs_run))"
    )
    cursor.execute("VACUUM ANALYZE")


def seat(cursor: Any, person: User) -> None:
    """Give the person a seat on ten use cases, far apart."""
    cursor.execute(
        "INSERT INTO usecases_seat (use_case_id, persona_id, user_id) SELECT id, 'MLE', %s"
        " FROM usecases_usecase WHERE key LIKE 'case-%%' AND id %% %s = 0 LIMIT %s",
        [person.pk, USE_CASES // SEATS, SEATS],
    )


def ask(client: Client, query: str) -> list[float]:
    """Seconds of each answer to the query."""
    spent = []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        answer = client.get("/search/", {"q": query, "part": "list"}, headers={"Host": "127.0.0.1"})
        spent.append(time.perf_counter() - began)
        if answer.status_code != 200:
            raise RuntimeError(f"{query!r}: {answer.status_code}")
    return spent[1:]


def person(name: str, *personas: str) -> User:
    """Somebody who may sign in."""
    create_user(actor=ENGINE, username=name, name=name.title(), personas=personas)
    return User.objects.get(username=name)


def measure() -> None:
    """Fill the tables, measure and print."""
    sync_personas()
    reader, lena = person("reader"), person("lena", "MLE")
    reader.capabilities = ["read_all"]
    reader.save()
    version = publish(shipped_text("hello"))
    with owner() as cursor:
        fill(cursor, reader, version)
        seat(cursor, lena)
    for who, user in (("reads everything", reader), ("ten seats", lena)):
        client = Client()
        client.force_login(user)
        every: list[float] = []
        for query in QUERIES:
            spent = ask(client, query)
            every += spent
            figures = {"p50_ms": median(spent), "p95_ms": percentile(spent, 0.95)}
            report("search", f"{who}: {query}", **figures)
        figures = {"p50_ms": median(every), "p95_ms": percentile(every, 0.95)}
        report("search", f"{who}: all", **figures, use_cases=USE_CASES, runs=USE_CASES * RUNS_EACH)


def main() -> None:
    """Start PostgreSQL, make the tables, measure."""
    hold = embedded.ensure_configured()
    try:
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], check=True, cwd=ROOT
        )
        measure()
    finally:
        if hold is not None:
            hold.release()


if __name__ == "__main__":
    main()
