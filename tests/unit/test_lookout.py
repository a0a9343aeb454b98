"""The lookout's thread: one defect ends neither the others' work nor the loop."""

import threading

import pytest
from django.db import OperationalError

from pipelines import catalogue
from pipelines.runs import lookout
from pipelines.runs.lookout import Lookout


def test_every_lookout_is_there() -> None:
    assert [look.__module__ for look in catalogue.lookouts()] == [
        "pipelines.readiness.lookout",
        "pipelines.notifications.mail",
    ]


def test_a_defect_keeps_nobody_from_looking(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looked: list[str] = []
    stopping = threading.Event()

    def broken() -> None:
        raise RuntimeError("a defect")

    def away() -> None:
        raise OperationalError("gone")

    def third() -> None:
        looked.append("third")
        if len(looked) == 2:
            stopping.set()

    monkeypatch.setattr(catalogue, "lookouts", lambda: (broken, away, third))
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(lookout, "close_old_connections", lambda: None)
    Lookout(stopping=stopping).run()
    assert looked == ["third", "third"]
    assert "broken failed" in caplog.text
    assert "database away: gone" in caplog.text
