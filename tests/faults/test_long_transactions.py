"""A transaction that somebody else forgot is told of: in the figures, and in the console. F23."""

from typing import Any

import pytest
from django.test import Client

from pipelines.runs.health import long_transactions
from pipelines.runs.queries import workshop
from portal import health
from tests.cast import Cast
from tests.faults.processes import until
from tests.faults.test_engines import other

pytestmark = [pytest.mark.faults, pytest.mark.timeout(60)]
__all__ = ["other"]


def test_f23_a_long_transaction_of_somebody_else_is_told(
    transactional_db: None, other: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In metrics and console, by role and process; half a minute is made short for the test."""
    priya = Cast.make().priya
    monkeypatch.setattr(health, "long_transactions", lambda: long_transactions(0.2))
    monkeypatch.setattr(workshop, "long_transactions", lambda: long_transactions(0.2))
    with other.cursor() as cursor:
        cursor.execute("SET application_name = 'a forgotten notebook'")
        cursor.execute("SELECT count(*) FROM runs_attempt")
        until(lambda: [one.program for one in long_transactions(0.2)] == ["a forgotten notebook"])
        assert "baton_database_long_transactions 1.0" in client.get("/metrics").content.decode()
        client.force_login(priya)
        page = client.get("/console/").content.decode()
        assert f"process {other.info.backend_pid}: it holds back vacuum" in page
        assert "a forgotten notebook" in page
    other.rollback()
    assert long_transactions(0.2) == []
