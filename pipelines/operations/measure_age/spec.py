"""Declaration of `measure_age`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="measure_age",
    version=1,
    summary="The age in days of a time that a report names, at the moment that was written down",
    inputs=(
        Port("report", "json", help="The report that names a time"),
        Port("moment", "json", help="The moment to measure at: an object with `now` (ISO 8601)"),
    ),
    outputs=(Port("age", "json", help="Time, moment, age and how old it may be"),),
    params=(
        Param("newest", "str", "freshness.newest", help="Where the report names the time"),
        Param("column", "str", "freshness.time_column", help="Where it says which column told it"),
        Param("limit", "str", "freshness.max_age_days", help="Where it names the limit, in days"),
    ),
    max_runtime=60,
    max_memory=1024,
)
