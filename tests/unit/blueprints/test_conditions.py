"""The closed language of `when`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.blueprints.conditions import ConditionError, evaluate, holds, read

FACTS = {
    "watch.drift": {"alerts": 2, "worst": "dep_time", "psi": 0.3, "red": True},
    "item.frame.brief": {"use": "advice"},
    "run": {"parameters": {"tier": 1}, "seats": ["BA"]},
}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("facts.watch.drift.alerts > 0", True),
        ("facts.watch.drift.alerts >= 3", False),
        ("facts.watch.drift.alerts == 2.0", True),
        ("0.25 < facts.watch.drift.psi", True),
        ("facts.watch.drift.red", True),
        ("not facts.watch.drift.red", False),
        ("facts.watch.drift.red == true and run.tier == 1", True),
        ("run.tier != 1 or facts.watch.drift.worst == 'dep_time'", True),
        ("item.frame.brief.use == 'advice'", True),
        ("facts.watch.drift.psi > -1", True),
        ("facts.watch.drift.nothing > 0", None),
        ("facts.other.drift.alerts > 0", None),
        ("facts.watch.drift.worst > 0", None),
        ("facts.watch.drift.alerts", None),
        ("not facts.watch.drift.nothing == 1", None),
        ("facts.watch.drift.nothing > 0 or run.tier == 1", True),
        ("facts.watch.drift.nothing > 0 and run.tier == 2", False),
    ],
)
def test_what_conditions_say(text: str, answer: bool | None) -> None:
    assert evaluate(text, FACTS) is answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "len(facts.a.b.c)",
        "__import__('os').system('true')",
        "facts.a.b.c.__class__ == 1",
        "facts.a.b > 0",
        "settings.a > 0",
        "(lambda: 1)()",
        "[1][0] == 1",
        "facts.a.b.c + 1 > 0",
        "0 < facts.a.b.c < 3",
        "facts.a.b.c in 'abc'",
        "facts.a.b.c if run.x else run.y",
        "f'{run.x}' == 'y'",
        "-run.x > 0",
        "run.x == b'y'",
        "run.x := 3",
        "run.x > 0; run.y",
        "(" * 300,
        "run.x > 0 " + "and run.x > 0 " * 100,
    ],
)
def test_everything_else_is_outside_the_language(text: str) -> None:
    with pytest.raises(ConditionError):
        read(text)


def test_refs_are_named() -> None:
    assert read("run.tier == 1 and facts.a.b.c > 0 or run.tier == 2").refs == (
        "run.tier",
        "facts.a.b.c",
    )


def test_what_cannot_be_known_never_skips_a_review() -> None:
    assert holds("", {})
    assert holds("facts.a.b.c > 0", {})
    assert not holds("facts.a.b.c > 0", {"a.b": {"c": 0}})


@given(st.text(alphabet="facts.run()xyz 01<>=!'\"andornot[]+-*", max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        condition = read(text)
    except ConditionError:
        return
    assert condition.test(FACTS) in (True, False, None)
