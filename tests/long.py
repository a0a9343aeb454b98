"""What is played at length only with BATON_LONG set, as .ci/run sets it; see docs/testing.md."""

import os
from typing import Final

import pytest

LONG: Final = "BATON_LONG" in os.environ
only_long = pytest.mark.skipif(not LONG, reason="at length: BATON_LONG=1, as .ci/run sets it")


def at_length(many: int, *, else_: int) -> int:
    """How often something random is tried: many times at length, else fewer."""
    return many if LONG else else_
