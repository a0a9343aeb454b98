"""Settings of the tests: Baton's own, with servers and files in a folder of their own."""

import os
from pathlib import Path

from tests.slots import take_slot

_ROOT = Path(__file__).resolve().parent.parent
_VAR = Path(os.environ.get("BATON_TEST_VAR", "") or _ROOT / "var" / "test")

# Several test runs at once get a database and a Redis database each.
SLOT = take_slot(_VAR)
os.environ["BATON_VAR"] = str(_VAR)
os.environ["BATON_DB_ROLE"] = "owner"
os.environ["BATON_REDIS_DB"] = str(SLOT)

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATABASES, VAR  # noqa: E402

DATABASES["default"]["TEST"] = {"NAME": f"test_baton_{SLOT}"}
ARTEFACT_URL = f"file://{VAR / 'artefacts' / str(SLOT)}"
# Argon2 costs 50 ms per sign-in on purpose; the tests sign in hundreds of times.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
