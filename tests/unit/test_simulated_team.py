"""The simulated people, without a database: draws, calendars, the agenda, the blueprint."""

from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

from personas.people import CODES
from pipelines import catalogue
from pipelines.blueprints.lint import lint
from pipelines.blueprints.parse import parse
from pipelines.blueprints.shipped import shipped
from pipelines.simulation import blueprint
from pipelines.simulation.agenda import Agenda
from pipelines.simulation.draws import Draws
from pipelines.simulation.forms import filled
from pipelines.simulation.parameters import Absences, Parameters, hours
from pipelines.simulation.team import PLAYERS, assemble, peer

MONDAY = datetime(2026, 1, 5, 6, tzinfo=UTC)


def test_draws_have_the_median_and_the_tail_they_are_given() -> None:
    spread = hours(2, 8)
    drawn = [Draws(1).about("item", n).length(spread).total_seconds() / 3600 for n in range(4000)]
    assert abs(median(drawn) - 2) < 0.15
    assert abs(quantiles(drawn, n=10)[-1] - 8) < 0.8
    assert min(drawn) > 0


def test_a_draw_depends_on_seed_and_name_alone() -> None:
    one = Draws(1).about("gate", "case-001", 2).share()
    Draws(1).about("something", "else").share()
    assert Draws(1).about("gate", "case-001", 2).share() == one
    assert Draws(2).about("gate", "case-001", 2).share() != one
    assert Draws(1).about("gate", "case-001", 3).share() != one


def test_people_work_in_their_hours_one_thing_at_a_time() -> None:
    team = assemble(Draws(3), Absences(), begins=MONDAY, days=90)
    amara = next(person for person in team if person.login == "amara")
    first = amara.plan(MONDAY, timedelta(hours=1), timedelta(hours=10))
    amara.take(first)
    second = amara.plan(MONDAY, timedelta(hours=1), timedelta(hours=1))
    assert amara.calendar.is_open(first.begins)
    assert amara.calendar.between(first.begins, first.ends) == timedelta(hours=10)
    assert second.begins >= first.ends


def test_absences_are_days_off_and_their_deputy_is_a_peer() -> None:
    team = assemble(Draws(3), Absences(), begins=MONDAY, days=90)
    absences = [(person, absence) for person in team for absence in person.absences]
    assert len(absences) > 10
    for person, absence in absences:
        assert person.away_at(absence.since) == absence
        assert person.calendar.between(absence.since, absence.until) < timedelta(hours=5)
        assert absence.deputy in ("", peer(person.player))
    assert {player.persona for player in PLAYERS} == set(CODES)


def test_the_agenda_keeps_time_and_order() -> None:
    agenda, seen = Agenda(), []
    for place, hour in enumerate((3, 1, 3, 2)):
        agenda.add(MONDAY.replace(hour=hour), lambda _at, n=place: seen.append(n), machine=hour > 2)
    while len(agenda):
        entry = agenda.pop()
        entry.act(entry.at)
    assert seen == [1, 3, 0, 2]


def test_the_simulated_blueprint_is_the_shipped_ones_shape() -> None:
    real, simulated = shipped(blueprint.SOURCE), parse(blueprint.simulated())
    found = lint(
        simulated,
        personas=CODES,
        operations={name: catalogue.spec(name) for name in catalogue.OPERATIONS},
        checks=catalogue.CHECKS,
        effects=catalogue.EFFECTS,
        feeds=catalogue.FEEDS,
        people=dict.fromkeys(CODES, 1),
    )
    assert [str(problem) for problem in found] == []
    for one, other in zip(real.stages, simulated.stages, strict=True):
        for name in ("key", "code", "title", "persona", "needs", "target", "max_rounds"):
            assert getattr(one, name) == getattr(other, name)
        assert [step.key for step in one.all_steps()] == [step.key for step in other.all_steps()]
        assert [item.key for item in one.items] == [item.key for item in other.items]
        assert (one.gate is None) == (other.gate is None)
        if one.gate and other.gate:
            for name in ("rules", "send_back_to", "on_reject", "due", "expires", "on_expire"):
                assert getattr(one.gate, name) == getattr(other.gate, name)
        assert (one.hand_off is None) == (other.hand_off is None)
        if one.hand_off and other.hand_off:
            assert one.hand_off.checklist == other.hand_off.checklist
            assert one.hand_off.due == other.hand_off.due
    assert {step.operation for stage in simulated.stages for step in stage.all_steps()} == {"noop"}


def test_forms_are_filled_in_legally() -> None:
    from_parameters = Parameters()
    simulated = parse(blueprint.simulated())
    for stage in simulated.stages:
        for item in stage.items:
            data = filled(item.fields, "a note")
            assert set(data) == {field.key for field in item.fields if field.required}
            assert stage.key in from_parameters.item
