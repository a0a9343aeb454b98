"""The matrix of several classes as a table: shades, framed right answers, classes without rows."""

from typing import Any

from django.template.loader import render_to_string

from portal.web.confusion import SHADES, confusion

NONE = {"value": None, "low": None, "high": None}


def facts() -> dict[str, Any]:
    """Three classes, of which one has no row."""
    known = {"value": 0.75, "low": 0.5, "high": 0.9}
    rows = [
        {"class": name, "rows": count, "answered": 3, "recall": known if count else NONE,
         "precision": known, "f1": known}
        for name, count in (("Zürich <b>", 4), ("late", 6), ("never", 0))
    ]  # fmt: skip
    return {
        "per_class": rows,
        "absent_classes": ["never"],
        "confusion_matrix": {
            "classes": ["Zürich <b>", "late", "never"],
            "counts": [[3, 1, 0], [0, 6, 0], [0, 0, 0]],
            "commonest": [{"true": "Zürich <b>", "answered": "late", "rows": 1, "share": 0.25}],
        },
    }


def test_shades_are_shares_of_the_line() -> None:
    found = confusion(facts())
    assert found is not None
    first, second, third = found.lines
    assert [square.shade for square in first.squares] == [4, 2, 0]
    assert [square.shade for square in second.squares] == [0, SHADES, 0]
    assert [square.share for square in third.squares] == [0.0, 0.0, 0.0]
    assert [square.right for square in second.squares] == [False, True, False]


def test_other_evaluations_have_no_matrix() -> None:
    assert confusion({}) is None
    assert confusion({"confusion": {"tp": 1}}) is None


def test_the_page_says_what_is_not_known_and_escapes_names() -> None:
    html = render_to_string("components/confusion.html", {"matrix": confusion(facts())})
    assert "No row of never was among those judged" in html
    assert "Zürich &lt;b&gt;" in html
    assert "<b>" not in html
    assert "25 % of that class" in html
    assert html.count("is-right") == 3
    assert "style=" not in html
