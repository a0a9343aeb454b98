"""Large readings are kept for a minute, small ones never."""

from pipelines.insights.keeping import KEEP, PLACES, Kept


def test_what_is_large_is_kept_for_a_minute() -> None:
    moment = [100.0]
    kept = Kept[list[int]](lambda found: len(found) > 1, clock=lambda: moment[0])
    first = kept.get("a", lambda: [1, 2])
    assert kept.get("a", lambda: [3, 4]) is first
    assert kept.get("b", lambda: [3, 4]) == [3, 4]
    moment[0] += KEEP
    assert kept.get("a", lambda: [5, 6]) == [5, 6]


def test_what_is_small_is_read_each_time() -> None:
    kept = Kept[list[int]](lambda found: len(found) > 1)
    assert [kept.get("a", lambda: [1]), kept.get("a", lambda: [2])] == [[1], [2]]


def test_only_so_much_is_kept() -> None:
    kept = Kept[list[int]](lambda found: True)
    for number in range(PLACES + 5):
        kept.get(number, lambda: [1])
    assert len(kept.found) == PLACES
    assert 0 not in kept.found
