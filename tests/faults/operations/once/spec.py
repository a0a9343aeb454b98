"""Declaration of `once`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="once",
    version=1,
    summary="Write a line into a file, then take a while",
    outputs=(Port("result", "json", help="Nothing of interest"),),
    params=(
        Param("file", "str", "", maximum=1000, help="Where the line goes"),
        Param("seconds", "float", 0.0, minimum=0, maximum=60, help="How long to take then"),
    ),
    repeatable=False,
    cacheable=False,
    max_runtime=60,
    max_memory=512,
)
