"""Queries as words, and found texts with the words marked."""

import pytest

from pipelines.search.words import LONGEST_WORD, MOST, ask, excerpt, is_prefix, mark


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("   ", ()),
        ("late flights", ("late", "flights")),
        ("Late-flights_late", ("late", "flights")),
        ("' & | ! :* <-> ( \\", ()),
        ("'late':* & !flights", ("late", "flights")),
        ("run 3", ("run", "3")),
        ("\u202eevil\u202c ok", ("evil", "ok")),
        ("a\0b", ("ab",)),
        ("Ärger ñandú 東京", ("ärger", "ñandú", "東京")),
        ("e\u0301t\u00e9", ("\u00e9t\u00e9",)),
        ("\ud800x", ("x",)),
    ],
)
def test_letters_and_digits_are_words_and_nothing_else(text: str, words: tuple[str, ...]) -> None:
    assert ask(text).words == words


def test_a_flood_is_cut_and_said_to_be() -> None:
    asked = ask("x" * 10_000)
    assert asked.cut
    assert asked.words == ("x" * LONGEST_WORD,)
    many = ask(" ".join(f"w{n}" for n in range(30)))
    assert many.cut
    assert len(many.words) == MOST
    assert not ask("late flights").cut


def test_numbers_and_single_letters_stand_for_themselves() -> None:
    assert [is_prefix(word) for word in ("ch", "c", "3", "31", "3d")] == [
        True, False, False, False, True,
    ]  # fmt: skip


def marked(text: str, *words: str) -> str:
    return "".join(f"[{p.text}]" if p.marked else p.text for p in mark(text, words))


def test_what_was_found_is_marked_and_nothing_is_lost() -> None:
    assert marked("Late flights, Run 3", "fl", "3") == "Late [flights], Run [3]"
    assert marked("Run 31", "3") == "Run 31"
    assert marked("One flight", "flights") == "One [flight]"
    assert marked("<b>late</b>", "late") == "<b>[late]</b>"
    assert marked("", "late") == ""
    assert marked("nothing here", "late") == "nothing here"


def test_an_excerpt_stands_around_the_first_word() -> None:
    text = "word " * 100 + "needle " + "word " * 100
    cut = excerpt(text, ["need"])
    assert "needle" in cut
    assert cut.startswith("…")
    assert cut.endswith("…")
    assert excerpt("short\n text", ["x"]) == "short text"
