"""What a fetch asks for, and how what is told of failures is kept free of addresses and secrets."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.operations.contract import Context, OperationError
from pipelines.operations.fetch.address import Address, parse


@dataclass(frozen=True)
class Wanted:
    """Source and request of one fetch."""

    address: Address
    secret: str = field(repr=False)
    hosts: Sequence[str] = ()
    folders: Sequence[str] = ()
    table: str = ""
    query: str = ""
    key: str = ""
    max_rows: int = 0
    max_bytes: int = 0
    timeout: int = 0


def wanted_of(context: Context) -> Wanted:
    """The request; raises OperationError where the parameters do not suit the connection."""
    given = context.connection
    if not given:
        raise OperationError(
            "no_connection", "This attempt was given no connection.", field="connection"
        )
    wanted = Wanted(
        address=parse(str(given["kind"]), str(given["address"])),
        secret=str(given.get("secret") or ""),
        hosts=_texts(given.get("hosts")),
        folders=_texts(given.get("folders")),
        table=context.text("table"),
        query=context.text("query").strip().removesuffix(";").strip(),
        key=context.text("key"),
        max_rows=context.whole("max_rows"),
        max_bytes=context.whole("max_bytes"),
        timeout=context.whole("timeout"),
    )
    asked = {name for name in ("table", "query", "key") if getattr(wanted, name)}
    fits = {"key"} if wanted.address.kind == "s3" else {"table", "query"}
    if len(asked) != 1 or not asked <= fits:
        rule = f"exactly one of {', '.join(sorted(fits))} for a connection to {wanted.address.kind}"
        raise OperationError("bad_request", f"Give {rule}.", field=min(fits), rule=rule)
    return wanted


def _texts(given: object) -> tuple[str, ...]:
    return tuple(map(str, given)) if isinstance(given, list | tuple) else ()


def quoted_table(name: str) -> str:
    """`schema.name` as SQL identifiers; raises OperationError for more than two parts."""
    parts = name.split(".")
    if len(parts) > 2 or not all(parts):
        raise OperationError(
            "bad_request",
            f"table: {name!r} is no name or schema.name",
            field="table",
            value=name,
            rule="name or schema.name",
        )
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def too_many(rows: int) -> OperationError:
    """The source gave more rows than may be taken."""
    return OperationError(
        "too_many_rows",
        f"The source gives more than {rows:,} rows.",
        field="max_rows",
        value=rows,
        rule=f"<= {rows:,} rows",
    )
