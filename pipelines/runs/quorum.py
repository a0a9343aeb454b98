"""Whether enough distinct people have decided; pure."""

from collections.abc import Mapping, Sequence
from typing import Any


def satisfied(policy: Mapping[str, Any], approvals: Sequence[Sequence[str]]) -> bool:
    """Whether approvals by distinct people meet every rule.

    `approvals` holds the personas of each approver. One person fills one place, unless the policy
    allows sharing; places are matched to people by augmenting paths, so no order can lose.
    """
    places = [rule["persona"] for rule in policy["rules"] for _ in range(rule["min"])]
    if policy.get("allow_shared"):
        return all(
            sum(rule["persona"] in personas for personas in approvals) >= rule["min"]
            for rule in policy["rules"]
        )
    taken: dict[int, int] = {}

    def place(seat: int, seen: set[int]) -> bool:
        for person, personas in enumerate(approvals):
            if places[seat] not in personas or person in seen:
                continue
            seen.add(person)
            if person not in taken or place(taken[person], seen):
                taken[person] = seat
                return True
        return False

    return all(place(seat, set()) for seat in range(len(places)))
