"""The database's clock, for tests of what time decides."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from personas.models import Clock

Later = Callable[..., None]


@pytest.fixture
def later(db: None) -> Later:
    """`later(hours=1)`: let the database's clock go on."""

    def move(**length: float) -> None:
        clock, _ = Clock.objects.get_or_create(
            id=1, defaults={"offset": timedelta(0), "simulation": True}
        )
        clock.offset += timedelta(**length)
        clock.save()

    return move
