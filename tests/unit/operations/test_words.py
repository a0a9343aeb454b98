"""Words of texts in many scripts."""

import pytest

from pipelines.operations.learning.words import (
    MAX_TEXT,
    MAX_WORD,
    only_stop_words,
    terms,
    words,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The  Sea, the sea!", ["the", "sea", "the", "sea"]),
        ("it's 24 x 36", ["it", "24", "36"]),
        ("Phaëthon", ["phaëthon"]),
        ("Phae\u0308thon", ["phaëthon"]),  # written with a combining mark
        ("Война и мир", ["война", "мир"]),
        ("هذا كِتاب جيد", ["هذا", "كِتاب", "جيد"]),
        ("हिन्दी में पाठ", ["हिन्दी", "में", "पाठ"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("ภาษา", ["ภ", "า", "ษ", "า"]),
        ("\uff26\uff55ll \uff57idth", ["full", "width"]),  # letters of full width
        ("", []),
        (" \n\t… !!", []),
        ("😀😀", []),
    ],
)
def test_words_of_many_scripts(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_pairs_follow_the_words() -> None:
    assert terms("red sea view") == ["red", "sea", "view", "red sea", "sea view"]
    assert terms("東京") == ["東", "京", "東 京"]


def test_a_megabyte_is_cut_and_a_long_word_too() -> None:
    assert len(words("ab " * 350_000)) == MAX_TEXT // 3 + 1
    assert words("x" * 1_000_000) == ["x" * MAX_WORD]


def test_function_words_alone() -> None:
    assert only_stop_words(words("It is what it is"))
    assert not only_stop_words(words("It is late"))
    assert not only_stop_words([])
