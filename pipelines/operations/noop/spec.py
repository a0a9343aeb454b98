"""Declaration of `noop`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="noop",
    version=1,
    summary="Wait, report progress and answer; computes nothing",
    inputs=(Port("given", "any", optional=True, many=True, help="Whatever it has to wait for"),),
    outputs=(Port("result", "json", help="The message and the number of rows"),),
    params=(
        Param("seconds", "float", 0.0, minimum=0, maximum=3600, help="How long to take"),
        Param("rows", "int", 0, minimum=0, help="How many rows to report as handled"),
        Param("message", "str", "", maximum=1000, help="Text to answer and to log"),
        Param(
            "fail",
            "str",
            "",
            choices=("", "error", "retryable"),
            help="End with an error that is final, or with one that may be retried",
        ),
    ),
    max_runtime=3700,
    max_memory=512,
)
