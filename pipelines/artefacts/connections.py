"""Named connections: held by who manages operations, opened for an attempt by its name."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

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


@dataclass(frozen=True)
class Source:
    """What a run reads instead of files: by these names among its parameters."""

    connection: str = ""
    query: str = ""
    path: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> "Source":
        """Return what parameters say of it; what is no text says nothing."""
        texts = {name: parameters.get(name) for name in ("connection", "query", "path")}
        return cls(**{name: text for name, text in texts.items() if isinstance(text, str)})

    def as_parameters(self) -> dict[str, str]:
        """Return what is said, as parameters."""
        return {name: text for name, text in asdict(self).items() if text}


def names_for(use_case: str = "") -> list[str]:
    """The names that a use case's runs may read through; without one, those open to all."""
    return [one.name for one in Connection.objects.all() if one.serves(use_case)]


def problems_of(source: Source, *, use_case: str) -> dict[str, list[str]]:
    """Return what is wrong with a source by field, before anything is read; {} for none named."""
    asked = {name for name in ("query", "path") if getattr(source, name).strip()}
    if not source.connection:
        rule = "is read through a connection, but parameters.connection is empty"
        return {name: [rule] for name in sorted(asked)}
    found = Connection.objects.filter(pk=source.connection).first()
    if found is None or not found.serves(use_case):
        return {"connection": [_not_there(source.connection, use_case)]}
    wanted = "path" if found.kind == "s3" else "query"
    problems = {
        name: [f"does not suit {source.connection!r}, which is {found.kind}: it takes a {wanted}"]
        for name in sorted(asked - {wanted})
    }
    if wanted not in asked:
        problems[wanted] = [f"is required for {source.connection!r}, which is {found.kind}"]
    return problems


def _not_there(name: str, use_case: str) -> str:
    return f"There is no connection {name!r} for the use case {use_case!r}."


def opened(name: str, *, use_case: str) -> dict[str, Json]:
    """What a child needs to read through a connection, with its secret: never keep or show it.

    Raises OperationError where there is none of that name, or not for this use case; the same
    for both, so that names cannot be tried out.
    """
    found = Connection.objects.filter(pk=name).first()
    if found is None or not found.serves(use_case):
        raise OperationError(
            "no_connection",
            _not_there(name, use_case),
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
