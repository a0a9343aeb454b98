"""A digest that is none, and one of something else: what is said of each."""

import pytest

from personas.errors import Conflict, Invalid
from pipelines.runs.seen import must_be, problems

HERE, OTHER = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "is required: the digest of what you were shown"),
        ("  ", "is required: the digest of what you were shown"),
        ("abc", "'abc' is no digest: it is 3 long; a digest has 64 places of 0 to 9 and a to f"),
        ("a" * 65, f"{'a' * 65!r} is no digest: it is 65 long; a digest has 64 places"),
        ("a" * 63 + "G", "it holds 'G'; a digest has 64 places of 0 to 9 and a to f"),
        ("a" * 63 + "\n", "it holds '\\n'"),
    ],
)
def test_what_is_no_digest_says_why(given, said) -> None:
    (told,) = problems(given)
    assert said in told
    with pytest.raises(Invalid) as caught:
        must_be(given, HERE, code="stale", text="Something moved")
    assert caught.value.fields == {"seen": [told]}


def test_another_digest_names_both() -> None:
    with pytest.raises(Conflict) as caught:
        must_be(OTHER, HERE, code="stale", text="Something moved", state="OPEN")
    assert caught.value.code == "stale"
    assert "Something moved: bbbbbbbbbbbb… was shown, aaaaaaaaaaaa… is there" in str(caught.value)
    must_be(HERE, HERE, code="stale", text="Something moved")
    assert problems(HERE) == []
