"""Kept querysets: the rows Django would give, composed once, on any connection."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from personas.errors import NotFound
from personas.kept import Kept
from pipelines.runs.models import Run
from pipelines.usecases.models import Seat
from pipelines.usecases.policies import seats_worn_by
from portal import access
from tests.cast import Cast
from tests.domain import engine as f


def seats_of(use_case_id: int, persona: str) -> object:
    rows = Seat.objects.filter(use_case_id=use_case_id, persona_id=persona, until=None)
    return rows.select_related("user", "persona").order_by("persona__lane")


def test_rows_come_with_what_they_select(db: None) -> None:
    cast = Cast.make()
    use_case, other = f.use_case(cast), f.use_case(cast, without=("sofia", "noor", "iris"))
    kept = Kept(seats_of, use_case_id=int, persona=str)
    for place, code in ((use_case, "DS"), (other, "DS"), (use_case, "BA"), (other, "nobody's")):
        plain = list(seats_of(place.pk, code))  # type: ignore[call-overload]
        with CaptureQueriesContext(connection) as asked:
            found = kept.all(use_case_id=place.pk, persona=code)
            assert [(s, s.user, s.persona, s.since) for s in found] == [
                (s, s.user, s.persona, s.since) for s in plain
            ]
        assert sum("EXECUTE" in query["sql"] for query in asked) == 1


def test_each_connection_composes_its_own(transactional_db: None) -> None:
    cast = Cast.make()
    use_case = f.use_case(cast)
    kept = Kept(seats_worn_by, user_id=int)

    def ask(user_id: int) -> list[int]:
        try:
            return [seat.use_case_id for seat in kept.all(user_id=user_id)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [cast.sofia.pk, cast.iris.pk] * 8))
    assert answers == [[use_case.pk], []] * 8
    connection.close()
    assert ask(cast.sofia.pk) == [use_case.pk]


def test_what_is_fixed_becomes_part_of_the_text(db: None) -> None:
    cast = Cast.make()
    made = f.run(cast, f.stage("one", "BA"))
    kept = Kept(lambda pk: Run.objects.filter(pk=pk).exclude(reason="100 % %s '"), pk=int)
    assert kept.first(pk=made.pk) == made
    Run.objects.filter(pk=made.pk).update(reason="100 % %s '")
    assert kept.first(pk=made.pk) is None


@pytest.mark.parametrize("pk", [0, 2**63, 10**30])
def test_an_id_no_row_can_have_is_not_found(db: None, pk: int) -> None:
    cast = Cast.make()
    with pytest.raises(NotFound):
        access.run_for(cast.sofia, pk)


def test_who_reads_all_sees_all(db: None) -> None:
    cast = Cast.make()
    made = f.run(cast, f.stage("one", "BA"))
    with pytest.raises(NotFound):
        access.run_for(cast.iris, made.pk)
    cast.iris.capabilities = ["read_all"]
    assert access.run_for(cast.iris, made.pk) == made
