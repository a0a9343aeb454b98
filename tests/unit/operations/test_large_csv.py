"""A large CSV file is read as a small one is: same table, same problems, or the small way."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.ingest import csvfile, largecsv
from pipelines.operations.ingest.csvfile import CsvSource, survey_csv
from pipelines.operations.ingest.largecsv import Room, TypedCsv, survey_large_csv
from tests.unit.operations.running import perform

NULLS = ("", "NA", "null", "NaN")
CLEAN = {
    "int": ("0", "1", "-5", "99999"),
    "float": ("0.5", "-1.25", "1e5", "3"),
    "day": ("2024-01-31", "2023-12-01"),
    "time": ("2024-01-31 10:00:00", "2024-01-31T11:12:13.5"),
    "zone": ("2024-01-31T10:00:00Z", "2024-01-31 10:00+02:00"),
    "german": ("31.01.2024", "15.06.1999"),
    "bool": ("true", "False"),
    "text": ("a", "foo bar", "ü"),
}
DIRTY = {
    "int": ("007", "+3", "12345678901234567890", "1_000", "0x1F", " 5", "1e3", "-0"),
    "float": ("00.5", "5.", "inf", "1e400", "1_0.5", " 2.5", ".", "123456789012345678901", "0.1e"),
    "day": ("2024-02-30", "0001-01-01", "31.12.2024", "2024-1-5"),
    "time": (
        "2024-01-31 24:00:00",
        "2024-01-31 5:00",
        "2024-01-31 10:00:60",
        "2024-01-31 10:00:5Z",
        "2024-01-31",
    ),
    "zone": ("2024-01-31 10:00:00-0330", "2024-01-31 10:00:00"),
    "german": ("1.2.2024", "31.02.2024", "2024-01-31"),
    "bool": ("tRue", "1", "yes"),
    "text": ("x,y", "line\nbreak", 'q"q', " lead", "\r", "#", "\\", "12"),
}


def both(path: Path, folder: Path, **options: object) -> tuple[CsvSource, CsvSource]:
    folder.mkdir(parents=True, exist_ok=True)
    small = survey_csv(path, path.name, **options)
    return small, survey_large_csv(path, path.name, **options, room=Room(folder, 1024))


def told(source: CsvSource) -> tuple[object, ...]:
    """Everything that is known of a file once it is read."""
    problems = [problem.as_json() for problem in source.problems]
    if any(problem.severity == "error" for problem in source.problems):
        return (problems,)
    try:
        table = pa.Table.from_batches(list(source.batches()), schema=source.schema)
    except OperationError as error:
        return problems, error.as_json()
    return problems, source.rows, table.schema, table.to_pydict()


def random_file(draw: random.Random) -> str:
    kinds = [draw.choice(list(CLEAN)) for _ in range(draw.randint(2, 4))]
    odd, missing = draw.choice((0, 0, 0.01, 0.1)), draw.choice((0, 0.05, 0.5))
    lines = [",".join(f"c{at}" for at in range(len(kinds)))]
    for _ in range(draw.choice((3, 40, 1200))):
        cells = []
        for kind in kinds:
            pick = draw.random()
            values = (
                NULLS if pick < missing else DIRTY[kind] if pick < missing + odd else CLEAN[kind]
            )
            cell = draw.choice(values)
            quoted = draw.random() < 0.02 or any(mark in cell for mark in ',"\r\n')
            cells.append('"' + cell.replace('"', '""') + '"' if quoted else cell)
        lines.append(",".join(cells) + ("," if draw.random() < odd / 50 else ""))
    return draw.choice(("\n", "\n", "\r\n")).join(lines) + draw.choice(("\n", ""))


@pytest.fixture
def short_head(monkeypatch) -> None:
    """The head is one block of a few rows, so that later rows may contradict it."""
    monkeypatch.setattr(largecsv, "HEAD_BLOCKS", 1)
    monkeypatch.setattr(csvfile, "BLOCK_BYTES", 1500)


@pytest.mark.parametrize("kind", list(DIRTY))
@pytest.mark.usefixtures("short_head")
def test_one_odd_cell_beyond_the_head_is_not_missed(tmp_path, kind) -> None:
    path = tmp_path / "given.csv"
    lines = [f"{n},{CLEAN[kind][n % 2]}" for n in range(300)]
    for odd in DIRTY[kind]:
        cell = '"' + odd.replace('"', '""') + '"' if set(odd) & set(',"\r\n') else odd
        path.write_bytes("\n".join(("n,given", *lines, f"300,{cell}", "")).encode())
        small, large = both(path, tmp_path / "room")
        assert told(large) == told(small), odd


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.usefixtures("short_head")
def test_random_files_give_the_same_either_way(tmp_path, seed) -> None:
    path = tmp_path / "given.csv"
    path.write_bytes(random_file(random.Random(seed)).encode())
    small, large = both(path, tmp_path / "room")
    assert told(large) == told(small)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("a,b\n1,2\n3,4,\n5,6\n", False),  # DuckDB takes this row for a good one
        ('a,b\n1,"x,y"\n3,\n', False),
        ('a,b\n1,"x,y"\n3,z\n', True),
        ("a,b\n1,2\n3\n", False),
        ("a,b\n1,2\n\n3,4\n", True),
        ("A,a\n1,2\n", False),
        ("a\n1\n\n2\n", False),
        ("\ufeffa,b\n1,2\n", True),
        ("a,b\n1,Jos\xe9\n", True),
        ("a,b\r1,2\r3,4\r", None),
        ("a,b\n1,31/01/2024\n2,01/02/2024\n", True),
        ("a,b\n1,01/02/2024\n2,03/04/2024\n", True),
        ("a,b\n1,inf\n2,3\n", False),
    ],
)
def test_odd_files_give_the_same_either_way(tmp_path, text, typed) -> None:
    path = tmp_path / "given.csv"
    path.write_bytes(text.encode())
    small, large = both(path, tmp_path / "room")
    assert told(large) == told(small)
    if typed is not None:
        assert isinstance(large, TypedCsv) is typed


def test_other_encodings_go_the_small_way(tmp_path) -> None:
    path = tmp_path / "given.csv"
    path.write_bytes(b"a,b\n1,Jos\xe9\n2,Ann\n")
    small, large = both(path, tmp_path / "room")
    assert not isinstance(large, TypedCsv)
    assert told(large) == told(small)


@pytest.mark.parametrize("formats", [{"d": "%d/%m/%Y"}, {"d": "%d %b %Y"}, {"d": "%m/%d/%Y"}])
def test_named_date_formats_hold_for_large_files(tmp_path, formats) -> None:
    path = tmp_path / "given.csv"
    path.write_text("n,d\n1,01/02/2024\n2,31/12/2024\n")
    small, large = both(path, tmp_path / "room", date_formats=formats)
    assert told(large) == told(small)


@pytest.mark.usefixtures("short_head")
def test_a_late_cell_beyond_the_head_changes_the_type(tmp_path) -> None:
    path = tmp_path / "given.csv"
    lines = "".join(f"{n},{n}\n" for n in range(2000))
    path.write_text("n,m\n" + lines + "2000,x\n")
    small, large = both(path, tmp_path / "room")
    assert isinstance(large, TypedCsv)
    assert told(large) == told(small)
    assert [(p.code, p.row) for p in large.problems] == [("nearly_numbers", 2002)]


LARGE: dict[str, Json] = {
    "plain": {},
    "target": {"target": "late", "time_column": "when"},
    "rule": {"target_rule": {"name": "y", "column": "delay", "op": ">", "value": 3}},
    "join": {"joins": [{"table": "planes", "on": ["plane"]}]},
    "drop": {"drop_columns": ["n"], "drop_unlabelled": True, "target": "late"},
    "from": {"time_column": "when", "time_from": "2024-01-10"},
}


@pytest.mark.parametrize("given", list(LARGE))
def test_the_operation_gives_the_same_either_way(tmp_path, monkeypatch, given) -> None:
    flights, planes = tmp_path / "flights.csv", tmp_path / "planes.csv"
    rows = "".join(
        f"{n},N{n % 9},{n % 7},{'' if n % 11 == 0 else n % 2},2024-01-{1 + n % 28:02d} 10:00:00\n"
        for n in range(500)
    )
    flights.write_text("n,plane,delay,late,when\n" + rows)
    planes.write_text("plane,seats\n" + "".join(f"N{n},{n}\n" for n in range(6)))
    files = {"flights.csv": flights, "planes.csv": planes}
    params = {"base": "flights", **LARGE[given]}
    small = perform("ingest", tmp_path / "small", {"tables": files}, **params)
    monkeypatch.setattr("pipelines.operations.ingest.compute.LARGE", 1)
    large = perform("ingest", tmp_path / "large", {"tables": files}, **params)
    assert large.facts == small.facts
    found = pq.read_table(large.outputs["table"])
    assert found.equals(pq.read_table(small.outputs["table"]))
    left = [path.name for path in (tmp_path / "large" / "out-ingest").iterdir()]
    assert left == ["table.parquet"]


def test_the_same_file_gives_the_same_bytes(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("pipelines.operations.ingest.compute.LARGE", 1)
    path = tmp_path / "given.csv"
    path.write_text("n,m\n" + "".join(f"{n},{n / 7}\n" for n in range(20_000)))
    made = {
        perform("ingest", tmp_path / name, {"tables": {"given.csv": path}})
        .outputs["table"]
        .read_bytes()
        for name in ("once", "twice")
    }
    assert len(made) == 1


def test_one_class_in_a_large_file_is_refused_and_leaves_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("pipelines.operations.ingest.compute.LARGE", 1)
    path = tmp_path / "given.csv"
    path.write_text("n,y\n" + "".join(f"{n},1\n" for n in range(50)))
    with pytest.raises(OperationError, match="one value only") as caught:
        perform("ingest", tmp_path, {"tables": {"given.csv": path}}, target="y")
    assert caught.value.code == "target_one_class"
    assert list((tmp_path / "out-ingest").iterdir()) == []
