"""Fixtures of the fault tests: committed rows, real processes, a Redis to kill."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.processes import OwnRedis, Processes


@pytest.fixture
def processes(
    transactional_db: None,
    redis_database: redis.Redis,
    process_environment: dict[str, str],
    tmp_path: Path,
) -> Iterator[Processes]:
    """Starts engine and workers on the test database."""
    made = Processes(process_environment, tmp_path)
    yield made
    made.end()


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    """A Redis that only this test uses; its path must be short, as a socket's has to be."""
    with tempfile.TemporaryDirectory(prefix="baton-") as folder:
        made = OwnRedis(Path(folder))
        made.start()
        yield made
        made.client.close()
        made.kill()
