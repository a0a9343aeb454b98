"""Declaration of `on_gpu`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="on_gpu",
    version=1,
    summary="Take a while on a worker that offers `gpu`",
    outputs=(Port("result", "json", help="Nothing of interest"),),
    params=(Param("seconds", "float", 0.0, minimum=0, maximum=60, help="How long to take"),),
    queue="gpu",
    cacheable=False,
    max_runtime=60,
    max_memory=512,
)
