"""Packages that bring operations, installed into a folder as an installer would do it."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines import brought, catalogue
from pipelines.brought import Brought
from pipelines.operations.contract import Json
from pipelines.runs import apart
from pipelines.runs.lanes import Lane, Result, Work

SPEC = """
from pipelines.operations.contract import Param, Port, Spec
SPEC = Spec(
    name={name!r}, version=1, summary="Do something odd",
    outputs=(Port("result", "json", help="Something"),),
    params=(Param("text", "str", "", help="Whatever it wants"),),
    {more}
)
"""
COMPUTE = """
import os, sys, time, json, socket, subprocess, signal
from pathlib import Path
from pipelines.operations.contract import Context, NotYet, OperationError, Outcome

def made(context, **facts):
    path = context.output("result")
    path.write_text(json.dumps({{"text": context.text("text")}}))
    return Outcome({{"result": path}}, facts or {{"fine": True}})

def run(context):
{body}
"""


def install(
    site: Path,
    bodies: Mapping[str, str],
    *,
    more: str = "max_runtime=20, max_memory=512, max_processes=3, max_file_size=8",
    distribution: str = "odd-operations",
    version: str = "1.0",
    package: str = "odd_operations",
) -> Path:
    """Write a package with an operation for each body of `run`, and its dist-info."""
    for name, body in bodies.items():
        folder = site / package / name
        folder.mkdir(parents=True, exist_ok=True)
        (site / package / "__init__.py").touch()
        (folder / "__init__.py").touch()
        (folder / "spec.py").write_text(SPEC.format(name=name, more=more))
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        (folder / "compute.py").write_text(COMPUTE.format(body=lines))
    return registered(
        site,
        {name: f"{package}.{name}" for name in bodies},
        distribution=distribution,
        version=version,
    )


def registered(site: Path, entries: Mapping[str, str], *, distribution: str, version: str) -> Path:
    """Write the dist-info that names the entry points."""
    for old in site.glob(f"{distribution.replace('-', '_')}-*.dist-info"):
        shutil.rmtree(old)
    info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    )
    listed = "".join(f"{name} = {module}\n" for name, module in entries.items())
    (info / "entry_points.txt").write_text(f"[{brought.GROUP}]\n{listed}")
    files = [path.relative_to(site) for path in site.rglob("*") if path.is_file()]
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))
    return site


@contextmanager
def on_path(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let this process, and the children it starts, find what is installed there."""
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(site))
        brought.forget()
        yield site
    brought.forget()


def found(name: str) -> Brought:
    """What is brought under that name and can be used."""
    one = catalogue.found(name)
    assert one is not None, catalogue.why_not(name)
    return one


def work(name: str, folder: Path, inputs: Mapping[str, str] | None = None, **params: Json) -> Work:
    """An attempt at it, writing into a folder of its own."""
    one = found(name)
    assert one.spec is not None
    (folder / "out").mkdir(parents=True, exist_ok=True)
    return Work(
        operation=name,
        params=params,
        inputs=inputs or {},
        many={},
        seed=1,
        folder=folder / "out",
        max_runtime=one.spec.max_runtime,
        max_memory=one.spec.max_memory,
        brought=one,
    )


def perform(asked: Work) -> Result:
    """Let a lane do it, as a worker does."""
    lane = Lane(0, asked.folder.parent)
    try:
        return apart.perform(lane, asked, lambda message: None, beat_every=0.5)
    finally:
        lane.kill()
