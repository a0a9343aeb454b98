"""Declaration of `inspect_upload`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="inspect_upload",
    version=2,
    summary="Look at an uploaded CSV or Parquet file: columns, problems, what to do with it",
    inputs=(Port("upload", "csv", accepts=("parquet",), help="The uploaded file"),),
    outputs=(Port("inspection", "json", help="Columns, problems and suggestions"),),
    params=(
        Param("name", "str", "upload", maximum=255, help="File name as people know it"),
        Param("delimiter", "str", "", maximum=1, help="Cell delimiter; found when empty"),
        Param(
            "max_bytes",
            "int",
            64 << 30,
            minimum=1024,
            help="Largest decoded size in bytes (own)",
        ),
    ),
    max_runtime=300,
)
