"""Reading through connections: SQLite files and S3-compatible stores, and what is refused."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.session import Session
from moto.server import ThreadedMotoServer

from pipelines import catalogue
from pipelines.operations.contract import Context, Json, OperationError, Outcome, clean_params
from pipelines.operations.fetch import guard
from pipelines.operations.fetch.address import EXAMPLES, BadAddress, parse
from pipelines.operations.fetch.guard import addresses, file_in, only

SECRET = "hush-hush-hush"


def fetch(folder: Path, kind: str, address: str, given: dict[str, Json], **params: Json) -> Outcome:
    spec = catalogue.spec("fetch")
    out = folder / "out"
    out.mkdir(exist_ok=True)
    context = Context(
        spec=spec,
        folder=out,
        params=clean_params(spec, {"connection": "shop", **params}),
        connection={"kind": kind, "address": address, "secret": SECRET, **given},
    )
    assert SECRET not in repr(context)
    outcome = catalogue.resolve("fetch")(context)
    assert isinstance(outcome, Outcome)
    assert [path.name for path in out.iterdir()] == ["table.parquet"]
    return outcome


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "allowed").mkdir()
    file = tmp_path / "allowed" / "shop.sqlite"
    with closing(sqlite3.connect(file)) as made, made:
        made.execute("CREATE TABLE sales (id INTEGER, price REAL, city TEXT, sold TEXT)")
        rows = [(n, None if n == 3 else n / 4, f"Ulm {n}", f"2024-01-{1 + n:02}") for n in range(9)]
        made.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", rows)
        made.execute("CREATE TABLE blobs AS SELECT x'00ff' AS content")
        made.execute("CREATE TABLE hollow (a INTEGER)")
    return file


def sqlite(shop: Path, **params: Json) -> Outcome:
    given: dict[str, Json] = {"folders": [str(shop.parent)]}
    return fetch(shop.parent.parent, "sqlite", f"sqlite://{shop}", given, **params)


def test_a_table_of_sqlite_comes_typed(shop) -> None:
    outcome = sqlite(shop, table="sales")
    table = pq.read_table(outcome.outputs["table"])
    assert table.schema.types == [pa.int64(), pa.float64(), pa.string(), pa.timestamp("us")]
    assert table.column("price").to_pylist()[:5] == [0.0, 0.25, 0.5, None, 1.0]
    assert table.column("sold")[0].as_py() == pd.Timestamp("2024-01-01")
    assert (outcome.facts["rows"], outcome.facts["connection"]) == (9, "shop")


def test_a_query_of_sqlite_is_one_statement(shop) -> None:
    table = pq.read_table(sqlite(shop, query="SELECT id FROM sales WHERE id > 6;").outputs["table"])
    assert table.to_pydict() == {"id": [7, 8]}


REFUSED = {
    "DELETE FROM sales": "bad_query",
    "DROP TABLE sales": "bad_query",
    "SELECT 1; DROP TABLE sales": "bad_query",
    "ATTACH '/etc/passwd' AS other": "bad_query",
    "SELECT load_extension('/tmp/x.so')": "bad_query",
    "SELECT readfile('/etc/passwd')": "bad_query",
    "PRAGMA query_only = OFF": "bad_query",
    "SELECT * FROM pragma_database_list": "bad_query",
    "VACUUM INTO '/tmp/copy.sqlite'": "bad_query",
    "SELECT content FROM blobs": "unsupported_type",
    "SELECT id, id FROM sales": "duplicate_column",
    "SELECT * FROM hollow": "no_rows",
    "SELECT nonsense FROM sales": "bad_query",
}


@pytest.mark.parametrize("query", list(REFUSED))
def test_sqlite_does_nothing_but_read(shop, query) -> None:
    before = shop.read_bytes()
    with pytest.raises(OperationError) as caught:
        sqlite(shop, query=query)
    assert caught.value.code == REFUSED[query]
    assert str(shop) not in str(caught.value.as_json())
    assert shop.read_bytes() == before
    assert not list((shop.parent.parent / "out").iterdir())


def test_an_endless_query_ends_in_time(shop) -> None:
    query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(OperationError) as caught:
        sqlite(shop, query=query, timeout=1)
    assert caught.value.code == "statement_timeout"


def test_more_rows_than_allowed_are_refused(shop) -> None:
    with pytest.raises(OperationError) as caught:
        sqlite(shop, table="sales", max_rows=8)
    assert (caught.value.code, caught.value.value) == ("too_many_rows", 8)


@pytest.mark.parametrize("folders", [[], [""], ["{0}/allowed2"], ["/etc"]])
def test_files_outside_the_folders_are_refused(tmp_path, shop, folders) -> None:
    named = [folder.format(tmp_path) for folder in folders]
    with pytest.raises(OperationError) as caught:
        file_in(str(shop), named)
    assert caught.value.code == "file_not_allowed"


def test_a_link_out_of_the_folder_is_followed_first(tmp_path, shop) -> None:
    (tmp_path / "secret.sqlite").write_bytes(shop.read_bytes())
    link = shop.parent / "link.sqlite"
    link.symlink_to(tmp_path / "secret.sqlite")
    for path in (str(link), f"{shop.parent}/../secret.sqlite"):
        with pytest.raises(OperationError) as caught:
            file_in(path, [str(shop.parent)])
        assert caught.value.code == "file_not_allowed"


@pytest.mark.parametrize(
    "params", [{}, {"table": "sales", "query": "SELECT 1"}, {"key": "a.csv"}, {"table": "a.b.c"}]
)
def test_requests_that_do_not_suit_are_refused(shop, params) -> None:
    with pytest.raises(OperationError) as caught:
        sqlite(shop, **params)
    assert caught.value.code == "bad_request"


def test_a_table_name_is_no_way_into_the_statement(shop) -> None:
    with pytest.raises(OperationError, match="no such table"):
        sqlite(shop, table='sales" WHERE 0 UNION SELECT * FROM "hollow')


@pytest.mark.parametrize(
    ("host", "allowed", "refused"),
    [
        ("127.0.0.1", (), True),
        ("localhost", (), True),
        ("10.1.2.3", (), True),
        ("169.254.169.254", (), True),
        ("0.0.0.0", (), True),
        ("::1", (), True),
        ("::ffff:10.0.0.1", (), True),
        ("100.64.0.1", (), True),
        ("127.0.0.1", ("127.0.0.1:1",), True),
        ("127.0.0.1", ("127.0.0.1:5432",), False),
        ("localhost", ("localhost",), False),
        ("8.8.8.8", (), False),
    ],
)
def test_addresses_inside_need_a_name(host, allowed, refused) -> None:
    if not refused:
        assert addresses(host, 5432, allowed)
        return
    with pytest.raises(OperationError) as caught:
        addresses(host, 5432, allowed)
    assert caught.value.code == "address_not_allowed"


def test_a_redirect_leads_nowhere() -> None:
    with only("localhost", ["127.0.0.1"]):
        assert socket.getaddrinfo("localhost", 80)[0][4][0] == "127.0.0.1"
        with pytest.raises(OSError, match="own host"):
            socket.getaddrinfo("example.org", 80)
    assert socket.getaddrinfo("127.0.0.2", 80)


@pytest.mark.parametrize("kind", list(EXAMPLES))
def test_the_examples_are_addresses(kind) -> None:
    assert parse(kind, EXAMPLES[kind]).kind == kind


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("postgresql", f"postgresql://reader:{SECRET}@db/sales"),
        ("postgresql", "postgresql://db/sales"),
        ("postgresql", "postgresql://reader@db"),
        ("postgresql", "postgresql://reader@db/sales?options=-c"),
        ("postgresql", "postgresql://reader@db/sales?sslmode=allow"),
        ("postgresql", "sqlite:///srv/a"),
        ("sqlite", "sqlite://srv/a"),
        ("sqlite", "sqlite:///srv/"),
        ("sqlite", "sqlite:///srv/a?mode=rw"),
        ("s3", "s3://bucket"),
        ("s3", "s3://bucket?endpoint=file:///etc"),
        ("s3", "s3://bucket?endpoint=https://a.org/path"),
        ("s3", f"s3://user:{SECRET}@bucket?endpoint=https://a.org"),
        ("mysql", "mysql://a/b"),
        ("postgresql", "postgresql://reader@db:99999999/sales"),
    ],
)
def test_addresses_that_do_not_suit_are_refused(kind, address) -> None:
    with pytest.raises(BadAddress) as caught:
        parse(kind, address)
    assert SECRET not in str(caught.value)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A real S3-compatible server on this machine; says its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def bucket(store) -> str:
    client = Session().create_client(
        "s3",
        endpoint_url=f"http://{store}",
        region_name="us-east-1",
        aws_access_key_id="KEYID",
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket="sales")
    rows = "".join(f"{n},{n / 2}\n" for n in range(50))
    client.put_object(Bucket="sales", Key="daily/a.csv", Body=b"n,m\n" + rows.encode())
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"n": [1, 2], "m": ["x", None]}), sink)
    client.put_object(Bucket="sales", Key="daily/b.parquet", Body=sink.getvalue().to_pybytes())
    client.put_object(Bucket="sales", Key="daily/bad.csv", Body=b"n,m\n1,2\n3\n")
    return store


def s3(tmp_path: Path, bucket: str, key: str, *, hosts: bool = True, **params: Json) -> Outcome:
    address = f"s3://sales/daily?endpoint=http://{bucket}&user=KEYID"
    given: dict[str, Json] = {"hosts": [bucket] if hosts else []}
    return fetch(tmp_path, "s3", address, given, key=key, **params)


@pytest.mark.parametrize(("key", "rows"), [("a.csv", 50), ("b.parquet", 2)])
def test_objects_come_as_uploads_do(tmp_path, bucket, key, rows) -> None:
    outcome = s3(tmp_path, bucket, key)
    assert outcome.facts["rows"] == rows
    assert pq.read_table(outcome.outputs["table"]).column_names == ["n", "m"]


@pytest.mark.parametrize(
    ("key", "params", "code"),
    [
        ("none.csv", {}, "not_found"),
        ("../other/a.csv", {}, "bad_request"),
        ("a.csv", {"max_bytes": 1024}, None),
        ("bad.csv", {}, "ragged_row"),
        ("a.csv", {"hosts": False}, "address_not_allowed"),
    ],
)
def test_objects_that_cannot_be_had_say_why(tmp_path, bucket, key, params, code) -> None:
    if code is None:
        assert s3(tmp_path, bucket, key, **params).facts["rows"] == 50
        return
    with pytest.raises(OperationError) as caught:
        s3(tmp_path, bucket, key, **params)
    assert caught.value.code == code
    assert SECRET not in str(caught.value.as_json())
    assert bucket not in str(caught.value.as_json())


def test_a_store_that_is_away_is_told_without_its_address(tmp_path) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OperationError) as caught:
        s3(tmp_path, where, "a.csv")
    assert (caught.value.code, caught.value.retryable) == ("connection_failed", True)
    assert where not in str(caught.value.as_json())


@pytest.mark.parametrize(
    "address", ["64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "::ffff:10.0.0.1", "fe80::1"]
)
def test_addresses_that_stand_for_inner_ones_are_not_public(address: str) -> None:
    assert not guard._public(ip_address(address))
    assert guard._public(ip_address("64:ff9b::0808:0808"))
