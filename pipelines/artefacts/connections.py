"""Named connections: held by who manages operations, opened for an attempt by its name."""

import os
import re
from collections.abc import Sequence

from django.conf import settings

from personas import policies
from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from pipelines.artefacts.models import Connection
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.fetch.address import BadAddress, parse

STREAM = ("engine", "connections")
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")
SECRET_NAME = re.compile(r"BATON_CONNECTION_SECRET_[A-Z0-9_]{1,50}\Z")
MOST_USE_CASES = 200


def hold(
    *,
    actor: Actor,
    name: str,
    kind: str,
    address: str,
    secret_name: str = "",
    use_cases: Sequence[str] = (),
    new: bool = False,
    key: str | None = None,
) -> Answer:
    """Name a connection, or change the one of that name; `use_cases` may be `*`, for all.

    Raises Invalid with every problem, NotAllowed without `operations.manage`, Conflict where
    the name of a `new` one is taken.
    """
    _require(actor)
    problems = _problems(name, kind, address, secret_name, use_cases)
    if problems:
        raise Invalid("The connection cannot be held.", fields=problems)
    given = {
        "kind": kind,
        "address": address,
        "secret_name": secret_name,
        "use_cases": sorted(set(use_cases)),
    }

    def body(command: Command, _locked: None) -> dict[str, object]:
        if new and Connection.objects.filter(pk=name).exists():
            raise Conflict("name_taken", f"There is a connection {name!r} already.")
        Connection.objects.update_or_create(
            name=name, defaults={**given, "changed_at": command.now}
        )
        data: dict[str, object] = {"name": name, **given}
        command.recorder.record(STREAM, "connection.held", subject=("connection", None), data=data)
        return data

    return execute(
        actor=actor,
        name="hold_connection",
        lock=lambda: None,
        body=body,
        key=key,
        request={"name": name, **given},
    )


def drop(*, actor: Actor, connection: Connection, key: str | None = None) -> Answer:
    """Forget a connection; what was read through it stays. Raises NotAllowed."""
    _require(actor)
    name = connection.pk

    def body(command: Command, locked: Connection) -> dict[str, object]:
        locked.delete()
        data: dict[str, object] = {"name": name}
        command.recorder.record(
            STREAM, "connection.dropped", subject=("connection", None), data=data
        )
        return data

    return execute(
        actor=actor,
        name="drop_connection",
        lock=lambda: Connection.objects.select_for_update().get(pk=name),
        body=body,
        key=key,
        request={"name": name},
    )


def opened(name: str, *, use_case: str) -> dict[str, Json]:
    """What a child needs to read through a connection, with its secret: never keep or show it.

    Raises OperationError where there is none of that name, or not for this use case; the same
    for both, so that names cannot be tried out.
    """
    found = Connection.objects.filter(pk=name).first()
    if found is None or not found.serves(use_case):
        raise OperationError(
            "no_connection",
            f"There is no connection {name!r} for the use case {use_case!r}.",
            field="connection",
            value=name,
            rule="names a connection that may be used here",
        )
    secret = os.environ.get(found.secret_name, "") if found.secret_name else ""
    if found.secret_name and not secret:
        raise OperationError(
            "no_secret",
            f"The worker was not given the secret of the connection {name!r}.",
            field="connection",
            value=name,
            rule="its variable is set where workers run",
        )
    return {
        "kind": found.kind,
        "address": found.address,
        "secret": secret,
        "hosts": list(settings.CONNECTION_HOSTS),
        "folders": list(settings.CONNECTION_FOLDERS),
    }


def _require(actor: Actor) -> None:
    if actor.user is None:
        raise NotAllowed("actor", "Only people and service accounts change connections.")
    policies.require(actor.user, "operations.manage")


def _problems(
    name: str, kind: str, address: str, secret_name: str, use_cases: Sequence[str]
) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    if not NAME.match(name):
        problems["name"] = ["must be small letters, digits and -, at most 40, a letter first"]
    if len(address) > 500:
        problems["address"] = ["must have at most 500 characters"]
    try:
        parse(kind, address)
    except BadAddress as error:
        problems["kind" if str(error).startswith("kind") else "address"] = [str(error)]
    if secret_name and not SECRET_NAME.match(secret_name):
        problems["secret_name"] = ["must be BATON_CONNECTION_SECRET_ and A-Z, 0-9, _"]
    if not secret_name and kind == "s3":
        problems["secret_name"] = ["is required for s3"]
    if len(use_cases) > MOST_USE_CASES or any(not 0 < len(one) <= 80 for one in use_cases):
        problems["use_cases"] = [f"must be at most {MOST_USE_CASES} keys of use cases, or *"]
    return problems
