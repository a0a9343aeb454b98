"""Charts on pages: drawn once by a child, pictures until then, tables that cannot act."""

from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import Client, RequestFactory

from personas.errors import Busy, Invalid
from pipelines.charts import drawing as drawing_module
from pipelines.charts.drawing import Drawings
from pipelines.charts.figure import NAME, Axis, Figure, Value, Words
from pipelines.charts.kinds import bars
from pipelines.charts.theme import resolved, tokens
from portal import bundle
from portal.web import figures
from tests.release import person
from tests.unit.charts.samples import MARKUP, all_kinds


@pytest.fixture
def drawings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drawings:
    """Drawings in a folder of the test's own."""
    found = Drawings(tmp_path / "charts")
    monkeypatch.setattr(figures, "drawings", found)
    return found


def small(name: str = "a") -> Figure:
    """The smallest figure."""
    words = Words("small", "Small", "It says little.")
    return bars(words, [Value(name, 1.0)], x=Axis("who", kind=NAME), y=Axis("much"))


def test_child_draws_every_kind_in_colours_that_the_style_sheet_knows(drawings: Drawings) -> None:
    css = (Path(settings.BASE_DIR) / "static/css/base.css").read_text(encoding="utf-8")
    known = tokens(css)
    try:
        for figure in all_kinds():
            drawn = drawings.draw(figure)
            assert "<script" not in drawn
            assert "style=" not in drawn
            assert "var(" not in resolved(drawn, known, theme="dark")
            assert drawings.kept(figure) == drawn
        bad = Figure("bad", "Bad", "Bad.", {"mark": "nonsense"}, (), ())
        with pytest.raises(Invalid, match="not drawn"):
            drawings.draw(bad)
    finally:
        drawings.close()


def test_what_was_ordered_is_drawn_when_it_is_fetched(drawings: Drawings) -> None:
    figure = small()
    digest = drawings.order(figure)
    assert drawings.kept(figure) is None
    try:
        drawn = drawings.deliver(digest)
    finally:
        drawings.close()
    assert drawn
    assert drawings.kept(figure) == drawn
    assert drawings.deliver("0" * 64) is None
    assert [one.suffix for one in drawings.folder.iterdir()] == [".svg"]


def test_child_that_ends_is_said_and_not_waited_for(
    drawings: Drawings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing_module, "COMMAND", ("true",))
    with pytest.raises(Busy, match="does not answer"):
        drawings.draw(small())


def test_tag_shows_a_picture_first_and_the_drawing_once_it_is_made(
    rf: RequestFactory, drawings: Drawings
) -> None:
    figure = small(MARKUP)
    template = Template("{% chart figure %}{% chart figure %}")

    def page() -> str:
        return template.render(Context({"figure": figure, "request": rf.get("/x/")}))

    shown = page()
    assert f"/charts/{figure.digest}/dark.svg" in shown
    assert shown.count("js/charts.js") == 1
    assert "<script>alert" not in shown
    assert "style=" not in shown
    assert 'href="?table=small"' in shown
    assert f'data-library="/static/{bundle.name()}"' in shown
    drawings.folder.mkdir(exist_ok=True)
    (drawings.folder / f"{figure.digest}-1.svg").write_text("<svg>kept</svg>")
    assert "<svg>kept</svg>" in page()
    assert "<picture>" not in page()


def test_table_is_a_file_whose_texts_cannot_act(rf: RequestFactory) -> None:
    words = Words("small", "Small", "It says little.")
    values = [Value(name, -1.5) for name in ("=1+1", "+x", "-x", "@x", "\tx", "fine")]
    figure = bars(words, values, x=Axis("who", kind=NAME), y=Axis("=much"))
    answer = figures.table_asked(rf.get("/x/?table=small"), [None, figure])
    assert answer is not None
    assert answer["Content-Disposition"] == 'attachment; filename="small.csv"'
    assert answer.content.decode().split("\r\n") == [
        "who,'=much", "'=1+1,-1.5", "'+x,-1.5", "'-x,-1.5", "'@x,-1.5", "'\tx,-1.5",
        "fine,-1.5", "",
    ]  # fmt: skip
    assert figures.table_asked(rf.get("/x/?table=other"), [figure]) is None
    assert figures.table_asked(rf.get("/x/"), [figure]) is None


def test_picture_is_for_people_who_signed_in(client: Client) -> None:
    answer = client.get(f"/charts/{'0' * 64}/light.svg")
    assert answer.status_code == 302
    assert client.get("/charts/../x/light.svg").status_code == 404


@pytest.mark.django_db
def test_picture_of_what_no_page_has_shown_is_not_made(client: Client, drawings: Drawings) -> None:
    client.force_login(person("Ada"))
    for name in ("0" * 64 + "/light", "0" * 64 + "/other", "x/light", "0" * 63 + "/light"):
        assert client.get(f"/charts/{name}.svg").status_code == 404
    assert not drawings.folder.exists()
