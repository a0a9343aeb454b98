"""A client per person, and the hello run everybody looks at."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from rest_framework.test import APIClient

from personas.models import User
from pipelines.runs.models import Gate, Run
from pipelines.usecases.models import UseCase
from tests import factories
from tests.cast import Cast

Client = Callable[[User], APIClient]


@pytest.fixture
def api() -> Client:
    """A function that returns the client of a signed-in person."""

    def client(user: User) -> APIClient:
        made = APIClient()
        made.force_login(user)
        return made

    return client


@dataclass(frozen=True)
class Play:
    """A use case whose run waits at its gate."""

    use_case: UseCase
    run: Run
    gate: Gate


@pytest.fixture
def play(cast: Cast) -> Play:
    """A hello run at its gate: dmitri's work, which sofia may decide on."""
    run = factories.hello_run(cast)
    gate = factories.to_gate(cast, run)
    return Play(run.use_case, run, gate)
