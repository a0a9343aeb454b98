"""Statements in the same instant, each on a connection of its own, while others look."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from personas.models import Event
from pipelines.readiness.actions import Statement, attest, look
from pipelines.readiness.models import Attestation, Point
from pipelines.readiness.queries import readiness
from pipelines.runs.models import Run
from tests import release
from tests.cast import Cast, acting
from tests.domain import engine
from tests.faults.test_decisions_at_once import at_once

pytestmark = [pytest.mark.faults, pytest.mark.timeout(60)]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that close their connections."""
    with ThreadPoolExecutor(max_workers=8) as made:
        yield made


def test_two_signatures_at_once_are_one(
    transactional_db: None, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """Two of one persona sign, one of them clicks twice, and the lookout looks meanwhile."""
    cast = Cast.make()
    case = engine.use_case(cast)
    run: Run = engine.run(cast, engine.stage("source", "DE"), on=case)
    (tmp_path / "package.zip").write_text("a package")
    release.step_with(
        run, "operationalise.package", {"package": tmp_path / "package.zip"}, {},
        operation="package_model",
    )  # fmt: skip
    seen = next(one.seen for one in readiness(case).subjects if one.test == "Mon7")
    statement = Statement("Mon7", "I looked at it", seen)

    def signs(user: Any, key: str) -> Any:
        return lambda: attest(actor=acting(user), use_case=case, statement=statement, key=key)

    answers = at_once(
        pool,
        [signs(cast.sofia, "a"), signs(cast.sofia, "a"), signs(cast.noor, "b"),
         lambda: look(use_case_id=case.pk), lambda: look(use_case_id=case.pk)],
    )  # fmt: skip
    told = Counter(getattr(one, "code", "done") for one in answers)
    assert told["done"] >= 3, answers
    assert told["attested_already"] == 5 - told["done"]
    assert Attestation.objects.count() == 1
    assert Event.objects.filter(type="attestation.sign").count() == 1
    points = list(Point.objects.order_by("id"))
    scored = [one.points["Mon7"] for one in points]
    assert scored in ([0.5], [0.0, 0.5])
    assert Event.objects.filter(type="readiness.changed").count() == len(points)
