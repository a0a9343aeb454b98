"""What machines ask: is the process alive, is it ready, and what are its figures."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pipelines.artefacts.actions import storage
from pipelines.artefacts.storage import StorageError
from pipelines.runs.health import figures, long_transactions
from pipelines.runs.queries.verification import Verified, last_verified

_STORAGE_SECONDS = 10.0


class _Freshness:
    """Remembers for a few seconds that the store took a write: a probe may come each second."""

    until = 0.0


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return _plain({"state": "alive"}, 200)


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when database, storage and engine serve; else 503, and which of them does not."""
    parts: dict[str, Callable[[], str]] = {
        "database and engine": _database_and_engine,
        "storage": _storage,
    }
    problems = {name: problem for name, look in parts.items() if (problem := look())}
    state = "not ready" if problems else "ready"
    return _plain({"state": state, "problems": problems}, 503 if problems else 200)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures in Prometheus' text form."""
    answer = HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
    answer["Cache-Control"] = "no-store"
    return answer


def _plain(body: dict[str, object], status: int) -> HttpResponse:
    answer = JsonResponse(body, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


def _database_and_engine() -> str:
    """Empty, or what is wrong; details of the database's address stay out of the answer."""
    try:
        lag = figures().lag_seconds
    except DatabaseError as problem:
        return f"the database does not answer ({type(problem).__name__})"
    if lag > settings.ENGINE_LAG_SECONDS:
        return f"the engine is {lag:.0f} s behind (limit {settings.ENGINE_LAG_SECONDS:g} s)"
    return ""


def _storage() -> str:
    """Empty, or what is wrong."""
    if time.monotonic() < _Freshness.until:
        return ""
    try:
        storage().check_writable()
    except StorageError as problem:
        return str(problem)
    _Freshness.until = time.monotonic() + _STORAGE_SECONDS
    return ""


class EngineCollector(Collector):
    """Reads the engine's figures when Prometheus asks, never before."""

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing, so that registering asks no database."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One gauge per figure, and whether the database answered at all."""
        try:
            found = figures()
            long = long_transactions()
            verified = last_verified()
        except DatabaseError:
            yield GaugeMetricFamily("baton_database_up", "1 if the database answers.", value=0)
            return
        yield GaugeMetricFamily("baton_database_up", "1 if the database answers.", value=1)
        for name, value in (asdict(found) | {"lag_seconds": found.lag_seconds}).items():
            title = name.replace("_", " ").capitalize()
            yield GaugeMetricFamily(f"baton_engine_{name}", f"{title}.", value=value)
        yield GaugeMetricFamily(
            "baton_database_long_transactions",
            "Transactions of anybody open for more than 30 s: they hold back vacuum.",
            value=len(long),
        )
        if verified is not None:
            yield from _invariants(verified)


def _invariants(verified: Verified) -> Iterable[GaugeMetricFamily]:
    """The last verification: how old, and what broke; what could not be checked has no number."""
    offenders = GaugeMetricFamily(
        "baton_invariant_offenders", "Rows that break an invariant.", labels=["code"]
    )
    for one in verified.invariants:
        if one.offenders is not None:
            offenders.add_metric([one.code], one.offenders)
    unchecked = sum(one.offenders is None for one in verified.invariants)
    yield offenders
    yield GaugeMetricFamily(
        "baton_invariants_unchecked", "Invariants that could not be checked.", value=unchecked
    )
    yield GaugeMetricFamily(
        "baton_invariants_age_seconds", "Time since the invariants were checked.", verified.age
    )


REGISTRY.register(EngineCollector())
