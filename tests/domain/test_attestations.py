"""Statements people sign: by whom, for what, until when; and the history of the score."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.db import IntegrityError, InternalError, transaction

from personas.errors import Conflict, DomainError, Gone, Invalid, NotAllowed
from personas.models import Event
from pipelines.readiness.actions import Statement, attest, look, withdraw
from pipelines.readiness.history import history
from pipelines.readiness.lookout import due, look_out
from pipelines.readiness.models import Attestation, Look, Point
from pipelines.readiness.queries import readiness
from pipelines.runs.models import Run, Stage
from pipelines.usecases.actions import give_seat
from pipelines.usecases.models import UseCase
from tests import release
from tests.cast import Cast, acting
from tests.domain import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast: Cast) -> UseCase:
    return engine.use_case(cast)


@pytest.fixture
def run(cast: Cast, case: UseCase, tmp_path: Path) -> Run:
    """A run that has a package, made by Tomas, and a feature definition, made by Kenji."""
    made = engine.run(cast, engine.stage("source", "DE"), on=case)
    makes(made, "operationalise.package", "package_model", "package", "one", tmp_path)
    makes(made, "features.build", "build_features", "features", "one", tmp_path, position=3)
    Stage.objects.filter(run=made, key="operationalise").update(owner=cast.tomas, persona="SWE")
    Stage.objects.filter(run=made, key="features").update(owner=cast.kenji, persona="MLR")
    return made


def makes(
    run: Run, place: str, operation: str, port: str, text: str, folder: Path, **more: Any
) -> None:
    """A step with that output."""
    file = folder / f"{port}-{text}.zip"
    file.write_text(f"{port} {text}")
    release.step_with(run, place, {port: file}, {}, operation=operation, **more)


def replaced(run: Run, folder: Path) -> None:
    """The package is made anew, in another round, and is another one."""
    Stage.objects.filter(run=run, key="operationalise").update(current=False)
    Stage.objects.create(
        run=run, key="operationalise", round=2, position=7, persona_id="SWE", state="ACTIVE"
    )
    makes(run, "operationalise.package", "package_model", "package", "two", folder)


def seen(case: UseCase, test: str) -> str:
    return next((s.seen for s in readiness(case).subjects if s.test == test), "0" * 64)


def sign(user: Any, case: UseCase, test: str, **more: Any) -> Attestation:
    key = more.pop("key", None)
    given = {"text": "I looked at it", "seen": seen(case, test), **more}
    answer = attest(actor=acting(user), use_case=case, statement=Statement(test, **given), key=key)
    return Attestation.objects.get(pk=answer.data["attestation"])


def refused(kind: type[DomainError], user: Any, case: UseCase, test: str, **more: Any) -> Any:
    with pytest.raises(kind) as told:
        sign(user, case, test, **more)
    assert not Attestation.objects.filter(user=user, test=test).exists()
    return told.value


def finding(case: UseCase, test: str) -> Any:
    return next(r.finding for r in readiness(case).tests if r.test.id == test)


def test_a_statement_is_worth_half_and_is_on_record(cast: Cast, case: UseCase, run: Run) -> None:
    assert finding(case, "Infra7").points == 0
    made = sign(cast.priya, case, "Infra7", evidence=("/runs/1/", "https://x.example/drill"))
    found = finding(case, "Infra7")
    assert (found.points, found.basis) == (0.5, "attested")
    assert "Priya Nair (OPS) signed: I looked at it" in found.text
    assert list(made.digests) == ["serving package"]
    assert made.expires_at - made.signed_at == timedelta(days=90)
    event = Event.objects.get(type="attestation.sign")
    assert (event.subject, event.subject_id, event.after) == ("attestation", made.pk, "STANDING")
    assert event.data["digests"] == made.digests


@pytest.mark.parametrize(
    ("login", "test", "rule"),
    [
        ("kenji", "Infra7", "attestation.persona"),
        ("priya", "Mon2", "attestation.computed"),
        ("iris", "Infra7", "attestation.persona"),
    ],
)
def test_only_the_right_persona_signs(
    cast: Cast, case: UseCase, run: Run, login: str, test: str, rule: str
) -> None:
    assert refused(NotAllowed, getattr(cast, login), case, test).code == rule


def test_who_made_it_as_another_persona_does_not_sign(cast: Cast, case: UseCase, run: Run) -> None:
    """Kenji made the features as MLR; with a seat as SWE he still does not sign their tests."""
    cast.kenji.personas.add("SWE")
    give_seat(actor=acting(cast.amara), use_case=case, user=cast.kenji, persona="SWE")
    assert refused(NotAllowed, cast.kenji, case, "Data7").code == "sod.subject_author"
    assert sign(cast.tomas, case, "Data7").persona_id == "SWE"
    # Whom the catalogue asks about their own work may say what they did.
    assert sign(cast.kenji, case, "Data2").persona_id == "MLR"


def test_two_personas_are_two_people(cast: Cast, case: UseCase, run: Run, tmp_path: Path) -> None:
    makes(run, "tune.select", "select_candidate", "candidate", "one", tmp_path, position=4)
    sign(cast.noor, case, "Model7", persona="BA")
    with pytest.raises(NotAllowed) as told:
        sign(cast.noor, case, "Model7", persona="DS")
    assert told.value.code == "sod.same_person"
    assert finding(case, "Model7").points == 0
    sign(cast.sofia, case, "Model7")
    assert finding(case, "Model7").points == 0.5


def test_what_is_wrong_is_named(cast: Cast, case: UseCase, run: Run) -> None:
    more = {"text": " ", "evidence": ("javascript:alert(1)",), "seen": "x"}
    found = refused(Invalid, cast.priya, case, "Infra7", **more).fields
    assert set(found) == {"statement", "evidence", "seen"}
    assert "'x' is no digest: it is 1 long" in found["seen"][0]
    assert "days" in refused(Invalid, cast.priya, case, "Infra7", days=91).fields
    assert "days" in refused(Invalid, cast.priya, case, "Infra7", days=0).fields
    with pytest.raises(Invalid):
        sign(cast.priya, case, "Infra9")


def test_nothing_is_signed_that_is_not_there_or_was_not_shown(
    cast: Cast, case: UseCase, run: Run
) -> None:
    assert refused(Conflict, cast.sofia, case, "Model6").code == "nothing_to_sign"
    assert refused(Conflict, cast.priya, case, "Infra7", seen="0" * 64).code == "stale_subject"


def test_twice_is_once(cast: Cast, case: UseCase, run: Run) -> None:
    first = sign(cast.priya, case, "Infra7", key="one click")
    shown = seen(case, "Infra7")
    again = attest(
        actor=acting(cast.priya), use_case=case, key="one click",
        statement=Statement("Infra7", "I looked at it", shown),
    )  # fmt: skip
    assert (again.replayed, again.data["attestation"]) == (True, first.pk)
    with pytest.raises(Conflict) as told:
        sign(cast.priya, case, "Infra7")
    assert (told.value.code, told.value.data["by"]) == ("attested_already", "Priya Nair")
    assert Attestation.objects.count() == 1


def test_it_is_void_once_there_is_other_content(
    cast: Cast, case: UseCase, run: Run, tmp_path: Path
) -> None:
    made = sign(cast.priya, case, "Infra7")
    replaced(run, tmp_path)
    # At once for whoever looks, though nobody has recorded it yet.
    assert finding(case, "Infra7").points == 0
    look(use_case_id=case.pk)
    made.refresh_from_db()
    assert (made.state, made.ended_by) == ("VOIDED", None)
    assert "serving package" in made.ended_reason
    event = Event.objects.get(type="attestation.void")
    assert (event.actor_kind, event.before, event.after) == ("timer", "STANDING", "VOIDED")
    with pytest.raises(Gone):
        withdraw(actor=acting(cast.priya), attestation=made, reason="late")
    assert sign(cast.priya, case, "Infra7").state == "STANDING"


def test_content_that_is_made_anew_voids_nothing_yet(
    cast: Cast, case: UseCase, run: Run, tmp_path: Path
) -> None:
    made = sign(cast.priya, case, "Infra7")
    stage = run.stages.get(key="operationalise", current=True)
    Stage.objects.filter(pk=stage.pk).update(current=False)
    assert finding(case, "Infra7").points == 0
    look(use_case_id=case.pk)
    made.refresh_from_db()
    assert made.state == "STANDING"
    Stage.objects.filter(pk=stage.pk).update(current=True)
    assert finding(case, "Infra7").points == 0.5


def test_it_is_over_at_its_time(cast: Cast, case: UseCase, run: Run) -> None:
    made = sign(cast.priya, case, "Infra7", days=1)
    look(use_case_id=case.pk)
    with pgtrigger.ignore("readiness.Attestation:immutable_statement"):
        Attestation.objects.filter(pk=made.pk).update(
            signed_at=made.signed_at - timedelta(days=2),
            expires_at=made.expires_at - timedelta(days=2),
        )
    assert finding(case, "Infra7").points == 0
    assert case.pk in due()
    assert look_out() == 1
    made.refresh_from_db()
    assert made.state == "EXPIRED"
    assert Event.objects.filter(type="attestation.expire", subject_id=made.pk).count() == 1


def test_it_is_taken_back_by_who_signed(cast: Cast, case: UseCase, run: Run) -> None:
    made = sign(cast.priya, case, "Infra7")
    with pytest.raises(NotAllowed) as told:
        withdraw(actor=acting(cast.kenji), attestation=made, reason="no")
    assert told.value.code == "attestation.signer"
    with pytest.raises(Invalid):
        withdraw(actor=acting(cast.priya), attestation=made, reason=" ")
    withdraw(actor=acting(cast.priya), attestation=made, reason="it was another package")
    made.refresh_from_db()
    assert (made.state, made.ended_by) == ("WITHDRAWN", cast.priya)
    assert finding(case, "Infra7").points == 0


def test_the_database_keeps_what_was_signed(cast: Cast, case: UseCase, run: Run) -> None:
    made = sign(cast.priya, case, "Infra7")
    rows = Attestation.objects.filter(pk=made.pk)
    for change in (
        lambda: rows.update(statement="something else"),
        lambda: rows.update(digests={}),
        rows.delete,
        lambda: Point.objects.all().delete(),
    ):
        with pytest.raises(InternalError), transaction.atomic():
            change()
    twin = {f.attname: getattr(made, f.attname) for f in Attestation._meta.concrete_fields}
    with pytest.raises(IntegrityError), transaction.atomic():
        Attestation.objects.create(**{**twin, "id": None})


# --- The score over time -------------------------------------------------------------------------


def test_the_score_is_kept_when_it_changes(cast: Cast, case: UseCase, run: Run) -> None:
    assert look(use_case_id=case.pk).data["changed"] is True
    assert look(use_case_id=case.pk).data["changed"] is False
    made = sign(cast.priya, case, "Infra7")
    withdraw(actor=acting(cast.priya), attestation=made, reason="wrong")
    past = history(case)
    changes = [[(c["test"], c["before"], c["after"]) for c in p.changes] for p in past.points]
    assert changes == [[], [("Infra7", 0.0, 0.5)], [("Infra7", 0.5, 0.0)]]
    assert "I looked at it" in past.points[1].changes[0]["because"]
    assert [p.sections["infra"] for p in past.points] == [0.0, 0.5, 0.0]
    told = Event.objects.filter(type="readiness.changed").order_by("id").last()
    assert told is not None
    assert told.data["tests"] == {"Infra7": [0.5, 0]}


def test_only_what_moved_is_looked_at(cast: Cast, case: UseCase) -> None:
    assert case.pk in due()
    look_out()
    Look.objects.update(looked_at=Event.objects.latest("at").at + timedelta(minutes=1))
    assert due() == []
    later = engine.run(cast, engine.stage("source", "DE"), on=case)
    Look.objects.update(looked_at=later.moved_at - timedelta(seconds=20))
    assert due() == [case.pk]


def test_reading_writes_nothing(cast: Cast, case: UseCase, run: Run) -> None:
    readiness(case)
    assert not Point.objects.exists()
    assert not Look.objects.exists()
