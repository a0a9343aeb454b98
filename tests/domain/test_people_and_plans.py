"""People, seats and visibility; blueprints and the immutability of their versions."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from personas import actions, queries
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import ENGINE
from personas.models import User
from pipelines.runs.models import Run
from pipelines.usecases.actions import (
    change_use_case,
    create_use_case,
    end_seat,
    give_seat,
    publish_blueprint,
)
from pipelines.usecases.models import BlueprintVersion, Seat, UseCase
from pipelines.usecases.policies import personas_of, visible
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later


def test_people_are_seen_by_name_in_any_case(cast: Cast) -> None:
    assert User.objects.get_by_natural_key("AMARA") == cast.amara
    with pytest.raises(Invalid) as error:
        actions.create_user(
            actor=acting(cast.priya), username="Amara", name="Other", personas=["XX"],
            capabilities=["fly"],
        )  # fmt: skip
    assert set(error.value.fields) >= {"personas", "capabilities"}
    with pytest.raises(Invalid):
        actions.create_user(actor=acting(cast.priya), username="Amara", name="Other")
    with pytest.raises(NotAllowed):
        actions.create_user(actor=acting(cast.sofia), username="new", name="New")


def test_a_token_ends(cast: Cast, later: Later) -> None:
    def issue() -> str:
        _, secret = actions.issue_token(
            actor=acting(cast.sofia), user=cast.sofia, name="laptop", scopes=["read"],
            lifetime=timedelta(days=2),
        )  # fmt: skip
        return secret

    secret = issue()
    token = queries.token_for(secret)
    assert token is not None
    assert secret not in (token.digest, token.prefix)
    assert queries.token_for("baton_wrong") is None
    with pytest.raises(NotAllowed):
        actions.revoke_token(actor=acting(cast.kenji), token=token)
    actions.revoke_token(actor=acting(cast.sofia), token=token)
    assert queries.token_for(secret) is None
    with pytest.raises(Conflict):
        actions.revoke_token(actor=acting(cast.sofia), token=token)
    secret = issue()
    later(days=3)
    assert queries.token_for(secret) is None


def test_who_is_deactivated_holds_nothing(cast: Cast) -> None:
    use_case = f.use_case(cast)
    assert personas_of(cast.sofia, use_case.pk) == ["DS"]
    actions.set_active(actor=acting(cast.priya), user=cast.sofia, active=False)
    assert personas_of(User.objects.get(pk=cast.sofia.pk), use_case.pk) == []


def test_only_who_has_to_do_with_it_sees_a_use_case(cast: Cast) -> None:
    use_case = f.use_case(cast, without=("noor", "iris", "priya"))
    sees = {login for login in ("amara", "sofia", "noor", "iris", "priya")
            if visible(getattr(cast, login)).filter(pk=use_case.pk).exists()}  # fmt: skip
    assert sees == {"amara", "sofia"}
    cast.iris.capabilities = ["read_all"]
    assert visible(cast.iris).filter(pk=use_case.pk).exists()
    end_seat(actor=acting(cast.amara), seat=Seat.objects.get(use_case=use_case, user=cast.sofia))
    assert not visible(cast.sofia).filter(pk=use_case.pk).exists()


def test_a_seat_needs_the_persona_and_its_giver_the_right(cast: Cast) -> None:
    use_case = f.use_case(cast, without=("noor", "iris"))
    with pytest.raises(Invalid):
        give_seat(actor=acting(cast.amara), use_case=use_case, user=cast.iris, persona="DS")
    with pytest.raises(NotAllowed):
        give_seat(actor=acting(cast.sofia), use_case=use_case, user=cast.noor, persona="DS")
    with pytest.raises(Conflict):
        give_seat(actor=acting(cast.amara), use_case=use_case, user=cast.sofia, persona="DS")


def test_a_use_case_has_a_key_of_its_own(cast: Cast) -> None:
    keys = [
        create_use_case(actor=acting(cast.amara), title="Late flights").data["key"] for _ in "ab"
    ]
    assert keys == ["late-flights", "late-flights-2"]
    with pytest.raises(Invalid):
        create_use_case(actor=acting(cast.amara), title="x", key="late-flights")
    with pytest.raises(Invalid) as error:
        create_use_case(actor=acting(cast.amara), title=" ", key="A B", blueprint="none")
    assert set(error.value.fields) >= {"title", "key", "blueprint"}
    use_case = UseCase.objects.get(key="late-flights")
    with pytest.raises(NotAllowed):
        change_use_case(actor=acting(cast.sofia), use_case=use_case, title="Mine")


# --- blueprints ----------------------------------------------------------------------------------


def test_the_same_content_is_one_version(cast: Cast) -> None:
    source = f.plan(f.stage("one", "BA"))
    first, again = f.publish(source), f.publish(source)
    assert first == again
    other = f.publish({**source, "title": "Other"})
    assert (other.number, other.state) == (2, "published")
    first.refresh_from_db()
    assert first.state == "retired"
    assert f.publish(source).pk == first.pk
    assert (
        BlueprintVersion.objects.filter(blueprint=first.blueprint, state="published").count() == 1
    )


def test_a_published_version_never_changes(cast: Cast) -> None:
    version = f.publish(f.plan(f.stage("one", "BA")))
    for change in ({"body": {}}, {"digest": "x"}, {"number": 9}):
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            BlueprintVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        BlueprintVersion.objects.filter(pk=version.pk)._raw_delete("default")


def test_a_run_keeps_its_version(cast: Cast) -> None:
    run = f.run(cast, f.stage("one", "BA"))
    key = run.version.blueprint.key
    f.publish(f.plan(f.stage("one", "BA"), f.stage("two", "BA")) | {"key": key})
    f.perform()
    run = Run.objects.get(pk=run.pk)
    assert (run.state, set(f.states(run))) == ("SUCCEEDED", {"one"})
    pinned = [e for e in f.events_of(run) if e.type == "run.version_pinned"]
    assert [event.data["digest"] for event in pinned] == [run.version.digest]


def test_a_bad_blueprint_names_every_problem_and_leaves_nothing(cast: Cast) -> None:
    source = f.plan(
        f.stage("one", "XX", needs=["two"]),
        f.stage("two", "BA", needs=["one"], steps=[{"key": "s", "operation": "fly"}]),
    )
    with pytest.raises(Invalid) as error:
        publish_blueprint(actor=ENGINE, source=source)
    text = str(error.value.fields)
    assert "XX" in text
    assert "fly" in text
    assert "cycle" in text
    assert not BlueprintVersion.objects.exists()
    with pytest.raises(NotAllowed):
        publish_blueprint(actor=acting(cast.sofia), source=f.plan(f.stage("one", "BA")))
