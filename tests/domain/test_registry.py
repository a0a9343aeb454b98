"""Registering, approving, deploying, rolling back, retiring."""

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError

from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor, verify_stream
from personas.models import BatonNow, Event, Stream
from pipelines.lifecycles import ModelVersionState
from pipelines.registry import actions, queries
from pipelines.registry.models import AliasMove, Deployment, ModelVersion
from pipelines.runs.models import HandOff
from tests.release import (
    cause,
    gate_of,
    packaged,
    person,
    release,
    run_of,
    stage_of,
    step_with,
    use_case,
)

pytestmark = pytest.mark.django_db


def modes(model: object) -> list[tuple[str, int]]:
    found = Deployment.objects.filter(model=model, ended_at=None).select_related("version")
    return sorted((one.mode, one.version.number) for one in found)


def test_a_package_becomes_the_next_version_with_its_lineage() -> None:
    made = release(approve=False)
    assert (made.version.number, made.version.state) == (1, ModelVersionState.REGISTERED)
    assert (
        made.version.sources["holdout"]
        == made.run.steps.get(key="split").result.outputs["holdout"]["digest"]
    )
    assert made.model.fallback == "Nobody is rebooked."
    assert made.version.facts["threshold"] == 0.4


def test_the_same_package_of_a_run_is_registered_once() -> None:
    made = release(approve=False)
    cause("register_version", made.run)
    assert ModelVersion.objects.count() == 1


def test_a_run_that_goes_on_does_not_bring_back_a_retired_model() -> None:
    made = release()
    bea = person("Bea", use_case=made.case, persona="BA")
    other = run_of(made.case)
    step_with(other, "operationalise.package", {"package": packaged("linear").package}, {})
    actions.retire(actor=Actor.person(bea), model=made.model, reason="no longer worth it")
    for effect in ("register_version", "deploy_shadow"):
        with pytest.raises(Conflict) as refused:
            cause(effect, other if effect == "register_version" else made.run)
        assert refused.value.code == "use_case_retired"
    assert modes(made.model) == []


def test_a_package_that_a_contract_made_to_try_is_not_registered() -> None:
    made = release(approve=False)
    other = run_of(made.case)
    tried = step_with(other, "evaluate.pack", {"package": packaged("linear").package}, {})
    hand_off = HandOff.objects.create(
        run=other, source=tried.stage, target=stage_of(other, "operationalise"), state="PREPARING"
    )
    tried.hand_off = hand_off
    tried.save(update_fields=["hand_off"])
    with pytest.raises(Conflict) as refused:
        cause("register_version", other)
    assert refused.value.code == "no_package"


def test_an_unapproved_version_is_not_deployed() -> None:
    made = release(approve=False)
    with pytest.raises(Conflict) as refused:
        cause("deploy_shadow", made.run)
    assert refused.value.code == "version_not_approved"
    assert not Deployment.objects.exists()


def test_the_database_forbids_approval_without_a_gate() -> None:
    made = release(approve=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=made.version.pk).update(state="APPROVED")


def test_shadow_then_canary_then_live() -> None:
    made = release(parameters={"canary_share": 0.25})
    cause("deploy_shadow", made.run)
    assert modes(made.model) == [("shadow", 1)]
    cause("deploy_canary", made.run)
    assert modes(made.model) == [("canary", 1)]
    canary = Deployment.objects.get(mode="canary")
    assert (canary.share, canary.approval_id) == (0.25, made.version.approval_id)
    gate = gate_of(made.run, "deploy")
    cause("go_live", made.run, gate=gate)
    assert modes(made.model) == [("live", 1)]
    assert Deployment.objects.get(mode="live").approval == gate
    assert queries.live_version(made.model) == made.version
    assert AliasMove.objects.get().version == made.version


def test_only_one_version_is_live() -> None:
    first = release()
    cause("go_live", first.run, gate=gate_of(first.run, "deploy"))
    second = release(first.case, family="linear")
    cause("go_live", second.run, gate=gate_of(second.run, "deploy"))
    assert modes(first.model) == [("live", 2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        Deployment.objects.create(
            model=first.model, version=first.version, mode="live", started_at=BatonNow()
        )


def test_an_ended_deployment_never_comes_back() -> None:
    made = release()
    cause("deploy_shadow", made.run)
    cause("deploy_canary", made.run)
    with pytest.raises(InternalError), transaction.atomic():
        Deployment.objects.filter(mode="shadow").update(ended_at=None)


def test_rolling_back_restores_the_version_before() -> None:
    first = release()
    cause("go_live", first.run, gate=gate_of(first.run, "deploy"))
    second = release(first.case, family="linear")
    cause("go_live", second.run, gate=gate_of(second.run, "deploy"))
    ops = person("Olu", use_case=first.case, persona="OPS")
    answer = actions.roll_back(actor=Actor.person(ops), model=first.model, reason="slow")
    assert answer.data["deployed"] == [{"mode": "live", "version": 1, "share": 1.0}]
    assert queries.live_version(first.model) == first.version
    history = list(queries.alias_history(first.model).values_list("version__number", flat=True))
    assert history == [1, 2, 1]


def test_rolling_back_a_canary_leaves_what_was_live() -> None:
    first = release()
    cause("go_live", first.run, gate=gate_of(first.run, "deploy"))
    second = release(first.case, family="linear")
    cause("deploy_canary", second.run)
    ops = person("Olu", use_case=first.case, persona="OPS")
    actions.roll_back(actor=Actor.person(ops), model=first.model, reason="errors")
    assert modes(first.model) == [("live", 1)]


def test_rolling_back_the_first_release_leaves_the_fallback() -> None:
    made = release()
    cause("go_live", made.run, gate=gate_of(made.run, "deploy"))
    ops = person("Olu", use_case=made.case, persona="OPS")
    assert (
        actions.roll_back(actor=Actor.person(ops), model=made.model, reason="wrong").data[
            "deployed"
        ]
        == []
    )
    with pytest.raises(Conflict) as refused:
        actions.roll_back(actor=Actor.person(ops), model=made.model, reason="again")
    assert refused.value.code == "nothing_deployed"


def test_rolling_back_takes_a_seat_and_a_reason() -> None:
    made = release()
    analyst = person("Bea", use_case=made.case, persona="BA")
    with pytest.raises(NotAllowed):
        actions.roll_back(actor=Actor.person(analyst), model=made.model, reason="x")
    with pytest.raises(Invalid):
        actions.roll_back(actor=Actor.person(analyst), model=made.model, reason=" ")


def test_the_same_key_rolls_back_once() -> None:
    first = release()
    cause("go_live", first.run, gate=gate_of(first.run, "deploy"))
    second = release(first.case, family="linear")
    cause("go_live", second.run, gate=gate_of(second.run, "deploy"))
    ops = Actor.person(person("Olu", use_case=first.case, persona="OPS"))
    one = actions.roll_back(actor=ops, model=first.model, reason="slow", key="k1")
    two = actions.roll_back(actor=ops, model=first.model, reason="slow", key="k1")
    assert (one.replayed, two.replayed) == (False, True)
    assert modes(first.model) == [("live", 1)]


def test_retiring_ends_everything_and_needs_the_analyst() -> None:
    made = release()
    cause("go_live", made.run, gate=gate_of(made.run, "deploy"))
    ops = person("Olu", use_case=made.case, persona="OPS")
    with pytest.raises(NotAllowed):
        actions.retire(actor=Actor.person(ops), model=made.model, reason="x")
    analyst = person("Bea", use_case=made.case, persona="BA")
    actions.retire(actor=Actor.person(analyst), model=made.model, reason="replaced")
    made.version.refresh_from_db()
    made.case.refresh_from_db()
    assert made.version.state == ModelVersionState.RETIRED
    assert made.case.retired_at is not None
    assert modes(made.model) == []


def test_what_was_live_at_a_moment() -> None:
    first = release()
    cause("go_live", first.run, gate=gate_of(first.run, "deploy"))
    between = Deployment.objects.get(mode="live").started_at
    second = release(first.case, family="linear")
    cause("go_live", second.run, gate=gate_of(second.run, "deploy"))
    found = queries.live_at(first.model, between)
    assert found is not None
    # The test's transaction has one clock reading, so both began at this moment: the later holds.
    assert found.version in (first.version, second.version)


def test_every_change_is_an_event_of_the_models_stream() -> None:
    made = release()
    cause("deploy_shadow", made.run)
    cause("deploy_canary", made.run)
    types = list(
        Event.objects.filter(stream__kind="model").order_by("seq").values_list("type", flat=True)
    )
    assert types == [
        "model_version.register", "model_version.approve", "deployment.start",
        "deployment.end", "deployment.start",
    ]  # fmt: skip
    assert verify_stream(Stream.objects.get(kind="model")) is None


def test_another_use_case_gets_a_model_of_its_own() -> None:
    first = release()
    second = release(use_case("other"))
    assert first.model != second.model
    assert second.version.number == 1
