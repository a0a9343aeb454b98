"""The portfolio: what each line says, in which order, narrowed, exported."""

import csv
import io
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from pipelines.portfolio import lists
from pipelines.portfolio.lists import SORTS, Wanted, exported, portfolio
from pipelines.portfolio.pace import rest_of
from pipelines.readiness.models import Point
from pipelines.registry.models import Model
from pipelines.runs.models import Stage
from pipelines.runs.queries.clock import now
from pipelines.usecases.models import UseCase
from tests import factories
from tests.api import world
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(cast: Cast) -> list[UseCase]:
    """A use case without a run, one in review, one whose model is live; titles a, b, c."""
    bare, review, live = (factories.use_case(cast, title=f"{letter} flights") for letter in "abc")
    run = factories.run_of(cast, review)
    factories.to_gate(cast, run)
    released = factories.run_of(cast, live, parameters={"message": "live", "seconds": 0.0})
    Point.objects.create(use_case=live, at=now(), score=1, sections=[], points={})
    Point.objects.create(use_case=live, at=now(), score=3.5, sections=[], points={})
    world._released(released)
    return [bare, review, live]


def keys(cast: Cast, **wanted: object) -> list[str]:
    found = portfolio(cast.amara, Wanted(**wanted))  # type: ignore[arg-type]
    return [line.use_case.title[0] for line in found.lines]


def test_a_line_says_what_is_known(cast: Cast, three: list[UseCase]) -> None:
    lines = {line.use_case.pk: line for line in portfolio(cast.amara, Wanted()).lines}
    bare, review, live = (lines[one.pk] for one in three)
    assert (bare.run, bare.stage, bare.score, bare.champion, bare.alerts) == (
        None,
        "",
        None,
        None,
        0,
    )
    assert bare.baton is not None
    assert bare.baton.over == "No run has been started."
    assert (review.stage, review.persona) == ("prepare", "DE")
    assert review.age is not None
    assert review.forecast is None, "there is no past to tell from"
    model = Model.objects.get(use_case=three[2])
    assert (live.score, live.model, live.champion) == (3.5, model.name, 1)
    assert (live.alerts, live.red_alerts) == (1, 1)


FIRST = {
    "title": "a",
    "-title": "c",
    "score": "c",
    "-score": "c",
    "alerts": "c",
    "champion": "c",
    "-age": "c",
    "age": "b",
}
NARROWED = (
    ({"search": "B FLI"}, "b"),
    ({"search": "%"}, ""),
    ({"search": "_ flights"}, ""),
    ({"state": "new"}, "a"),
    ({"state": "open"}, "bc"),
    ({"persona": "OPS"}, ""),
    ({"tier": 1}, ""),
    ({"blueprint": "hello"}, "abc"),
)


def test_sorts_by_every_column_and_what_is_missing_stands_last(
    cast: Cast, three: list[UseCase]
) -> None:
    Stage.objects.filter(run__use_case=three[1]).update(activated_at=now() - timedelta(days=1))
    for sort in (*SORTS, *(f"-{one}" for one in SORTS)):
        found = keys(cast, sort=sort)
        assert sorted(found) == ["a", "b", "c"]
        assert found == keys(cast, sort=sort), "the order is stable"
        assert found[0] == FIRST.get(sort, found[0]), sort
    for wanted, expected in NARROWED:
        assert "".join(sorted(keys(cast, **wanted))) == expected, wanted
    for sort in SORTS:
        found = portfolio(cast.iris, Wanted(sort=sort))
        assert (found.lines, found.count) == ((), 0), "of others nothing is told"


def test_pages_follow_each_other_without_gap(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PER_PAGE", 2)
    UseCase.objects.bulk_create(
        UseCase(key=f"k{n}", title="the same", created_by=cast.amara) for n in range(5)
    )
    pages = [portfolio(cast.amara, Wanted(sort="title", page=page)) for page in (1, 2, 3)]
    seen = [line.use_case.pk for page in pages for line in page.lines]
    assert len(seen) == len(set(seen)) == 5
    assert [page.more for page in pages] == [True, True, False]
    assert pages[0].count == 5
    client.force_login(cast.amara)
    text = unescape(client.get("/use-cases/?sort=title&page=2").content.decode())
    assert "?sort=title&page=3" in text
    assert "?sort=title&page=1" in text
    assert portfolio(cast.amara, Wanted(page=99)).wanted.page == 3, "past the end is the end"


def test_the_forecast_is_of_those_that_took_longer(
    cast: Cast, three: list[UseCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's look into the table is the table's own."""
    hours = [3600.0 * number for number in range(1, 11)]
    monkeypatch.setattr(lists, "rests", lambda: {"prepare": rest_of(hours)})
    stage = three[1].runs.get().stages.get(key="prepare")
    [line] = portfolio(cast.amara, Wanted(search="b fli", sort="forecast")).lines
    assert stage.activated_at is not None
    assert line.forecast == stage.activated_at + timedelta(hours=5.5)
    assert line.forecast_p85 == stage.activated_at + timedelta(hours=8.65)
    late = [-3600.0, -1800.0, 10.0]  # too few that took longer than this one has
    monkeypatch.setattr(lists, "rests", lambda: {"prepare": rest_of(late)})
    [line] = portfolio(cast.amara, Wanted(search="b fli")).lines
    assert line.forecast is None


def test_the_export_is_safe_and_whole(client: Client, cast: Cast, three: list[UseCase]) -> None:
    UseCase.objects.filter(pk=three[0].pk).update(title='=HYPERLINK("http://x","y")')
    client.force_login(cast.amara)
    answer = client.get("/use-cases/export?sort=-title")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert {row["title"][:1] for row in rows} == {"'", "b", "c"}
    live = next(row for row in rows if row["title"][0] == "c")
    assert (live["test_score"], live["champion_version"], live["red_alerts"]) == ("3.5", "1", "1")
    assert len(exported(cast.amara, Wanted(page=7))) == 3
    page = unescape(client.get("/use-cases/?sort=score&q=fli").content.decode())
    assert page.count('aria-sort="descending"') == 1
    assert "?sort=-score&q=fli&page=1" in page
    client.force_login(cast.iris)
    assert client.get("/use-cases/export").content.decode().count("\n") == 1
