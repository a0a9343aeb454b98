"""The lineage as OpenLineage run events (spec 2-0-2): one START and one COMPLETE per attempt. Pure.

Artefacts are datasets of the namespace `baton`, named by their digest, so that equal content is one
dataset wherever it came from. What the standard has no word for (parameters, seed, the blueprint's
digest) is in the facet `baton_attempt`.
"""

import uuid
from collections.abc import Iterator
from typing import Any, Final

from pipelines.lineage.graph import Part, Performed, Record, rows_of

SPEC: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs"
FACETS: Final = "https://openlineage.io/spec/facets"
ENGINE: Final = "1-1-1/ProcessingEngineRunFacet.json#/$defs/ProcessingEngineRunFacet"
PARENT: Final = "1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet"
JOB_TYPE: Final = "2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"
VERSION: Final = "1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
STATISTICS: Final = (
    "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"
)
# A fixed name to derive identities from: the same attempt has the same runId in every export.
SPACE: Final = uuid.UUID("7f0cf0b2-9f43-5d0e-9c1a-2b6a8d7a4b11")
NAMESPACE: Final = "baton"
RELEASE: Final = "0.1.0"  # as in pyproject.toml


def events(record: Record, *, producer: str) -> Iterator[dict[str, Any]]:
    """Yield the events in order; `producer` is the portal's address."""
    for step in record.steps:
        if not step.started_at or not step.finished_at:
            continue
        shared = _shared(record, step, producer)
        gathered = [part for _, _, part in step.feeds if part is not None]
        read = [*(part for _, part in step.inputs), *gathered]
        inputs = [_dataset(part, producer) for part in read]
        outputs = [_output(part, step, producer) for part in step.outputs]
        yield {**shared, "eventType": "START", "eventTime": step.started_at,
               "inputs": inputs, "outputs": []}  # fmt: skip
        yield {**shared, "eventType": "COMPLETE", "eventTime": step.finished_at,
               "inputs": inputs, "outputs": outputs}  # fmt: skip


def _shared(record: Record, step: Performed, producer: str) -> dict[str, Any]:
    parent = {
        "run": {"runId": _id(producer, "run", record.run)},
        "job": {"namespace": NAMESPACE, "name": record.use_case},
    }
    return {
        "producer": producer,
        "schemaURL": f"{SPEC}/RunEvent",
        "run": {
            "runId": _id(producer, "attempt", step.attempt),
            "facets": {
                "parent": _facet(producer, f"{FACETS}/{PARENT}", **parent),
                "processing_engine": _facet(
                    producer, f"{FACETS}/{ENGINE}", name="Baton", version=RELEASE
                ),
                "baton_attempt": _facet(
                    producer,
                    f"{SPEC}/RunFacet",
                    operation=step.operation,
                    operationVersion=step.version,
                    package=dict(step.package),
                    seed=step.seed,
                    parameters=dict(step.params),
                    feeds=[feed for _, feed, _ in step.feeds],
                    blueprint=record.blueprint,
                    blueprintDigest=record.blueprint_digest,
                    cachedFrom=_id(producer, "attempt", step.cached_from)
                    if step.cached_from
                    else None,
                ),
            },
        },
        "job": {
            "namespace": NAMESPACE,
            "name": f"{record.use_case}.{step.place}",
            "facets": {
                "jobType": _facet(
                    producer,
                    f"{FACETS}/{JOB_TYPE}",
                    processingType="BATCH",
                    integration="BATON",
                    jobType="STEP",
                )
            },
        },
    }


def _id(producer: str, noun: str, pk: int) -> str:
    return str(uuid.uuid5(SPACE, f"{producer}/{noun}/{pk}"))


def _facet(producer: str, schema: str, **fields: Any) -> dict[str, Any]:
    return {"_producer": producer, "_schemaURL": schema, **fields}


def _dataset(part: Part, producer: str) -> dict[str, Any]:
    version = _facet(producer, f"{FACETS}/{VERSION}", datasetVersion=part.digest)
    return {"namespace": NAMESPACE, "name": part.digest, "facets": {"version": version}}


def _output(part: Part, step: Performed, producer: str) -> dict[str, Any]:
    counted: dict[str, Any] = {"fileCount": 1}
    rows = rows_of(part, step.facts)
    if rows is not None:
        counted["rowCount"] = rows
    if part.size is not None:
        counted["size"] = part.size
    statistics = _facet(producer, f"{FACETS}/{STATISTICS}", **counted)
    return {**_dataset(part, producer), "outputFacets": {"outputStatistics": statistics}}
