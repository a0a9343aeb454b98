"""OpenLineage events against the published specification 2-0-2.

The standard's JSON Schema is no part of any package; the classes of its own Python client are
generated from that schema, with its required fields, its types and the address of each definition.
Every event and facet is rebuilt with them: an unknown field, a missing one or a wrong type fails.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import attr
import pytest
from openlineage.client.generated import (
    base,
    dataset_version_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
)

from pipelines.lineage import openlineage
from pipelines.lineage.openlineage import events
from tests.unit.lineage.test_graph import RECORD

FACETS = {
    "parent": parent_run.ParentRunFacet,
    "processing_engine": processing_engine_run.ProcessingEngineRunFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "version": dataset_version_dataset.DatasetVersionDatasetFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
}
OURS = {"baton_attempt": base.RunFacet}  # a facet of our own: the standard asks for a prefix
NESTED = {("parent", "run"): parent_run.Run, ("parent", "job"): parent_run.Job}
PRODUCER = "https://baton.example"


@pytest.fixture(scope="module")
def made() -> list[dict[str, Any]]:
    return list(events(RECORD, producer=PRODUCER))


def rebuilt(shape: type, given: Mapping[str, Any], *, extra: bool = False) -> Any:
    """Build an instance of a generated class from plain data; fails for what it does not know."""
    fields = {field.alias or field.name: field for field in attr.fields(shape)}
    known = {name: value for name, value in given.items() if name in fields and fields[name].init}
    left = set(given) - set(known) - {"_producer", "_schemaURL", "schemaURL"}
    assert extra or not left, f"{shape.__name__} knows no {left}"
    return shape(**known)


def facet(name: str, given: Mapping[str, Any]) -> None:
    shape = FACETS.get(name) or OURS[name]
    assert given["_producer"] == PRODUCER
    assert given["_schemaURL"] == shape._get_schema()
    inner = {
        key: rebuilt(NESTED[name, key], value) if (name, key) in NESTED else value
        for key, value in given.items()
    }
    rebuilt(shape, inner, extra=name in OURS)


def dataset(shape: type, given: Mapping[str, Any], kind: str) -> None:
    for name, one in {**given["facets"], **given.get(kind, {})}.items():
        facet(name, one)
    rebuilt(shape, {**given, "facets": {}, **({kind: {}} if kind in given else {})})


def test_every_event_is_one_by_the_standard(made: list[dict[str, Any]]) -> None:
    for event in made:
        run = rebuilt(base.Run, {**event["run"], "facets": {}})
        job = rebuilt(base.Job, {**event["job"], "facets": {}})
        for noun in ("run", "job"):
            for name, one in event[noun]["facets"].items():
                facet(name, one)
        for one in event["inputs"]:
            dataset(base.InputDataset, one, "inputFacets")
        for one in event["outputs"]:
            dataset(base.OutputDataset, one, "outputFacets")
        plain = {**event, "run": run, "job": job, "inputs": [], "outputs": []}
        plain["eventType"] = base.EventType(event["eventType"])
        rebuilt(base.RunEvent, plain)
        assert event["schemaURL"] == base.RunEvent._get_schema()
        UUID(event["run"]["runId"])
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None


@pytest.mark.parametrize("noun", ["runId", "namespace"])
def test_the_check_itself_fails_where_something_is_missing(
    made: list[dict[str, Any]], noun: str
) -> None:
    shape, part = (base.Run, "run") if noun == "runId" else (base.Job, "job")
    less = {key: value for key, value in made[0][part].items() if key != noun}
    with pytest.raises(TypeError):
        rebuilt(shape, less)
    with pytest.raises(AssertionError):
        rebuilt(shape, {**made[0][part], "invented": 1})
    with pytest.raises(ValueError, match="badly formed"):
        rebuilt(base.Run, {"runId": "no uuid"})


def test_each_run_starts_and_completes(made: list[dict[str, Any]]) -> None:
    kinds = [(event["run"]["runId"], event["eventType"]) for event in made]
    runs = list(dict.fromkeys(run for run, _ in kinds))
    assert len(runs) == len(RECORD.steps)
    assert kinds == [(run, kind) for run in runs for kind in ("START", "COMPLETE")]
    assert all(not event["outputs"] for event in made if event["eventType"] == "START")


def test_the_same_export_again_names_the_same_runs(made: list[dict[str, Any]]) -> None:
    assert list(events(RECORD, producer=PRODUCER)) == made
    other = list(events(RECORD, producer="https://other.example"))
    assert other[0]["run"]["runId"] != made[0]["run"]["runId"]


def test_what_one_step_made_another_reads_under_the_same_name(made: list[dict[str, Any]]) -> None:
    done = {event["job"]["name"]: event for event in made if event["eventType"] == "COMPLETE"}
    split = {one["name"] for one in done["odd-digits.explore.split"]["outputs"]}
    trained = {one["name"] for one in done["odd-digits.tune.train"]["inputs"]}
    assert trained < split
    (first,) = [o for o in done["odd-digits.explore.split"]["outputs"] if o["name"][0] == "c"]
    assert first["outputFacets"]["outputStatistics"]["rowCount"] == 1168


def test_a_step_that_is_not_done_has_no_event() -> None:
    left = replace(RECORD.steps[0], finished_at="")
    assert list(events(replace(RECORD, steps=(left,)), producer=PRODUCER)) == []


def test_the_release_is_the_project_s() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == openlineage.RELEASE
