"""Declaration of `infer_contract`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="infer_contract",
    version=1,
    summary="Propose a data contract: type, missing, range, categories, role and PII per column",
    inputs=(
        Port("table", "parquet", help="The table the contract is for"),
        Port("profile", "json", help="Its profile"),
    ),
    outputs=(Port("contract", "json", help="The proposed data contract"),),
    params=(
        Param("target", "str", "", help="Target column"),
        Param("time_column", "str", "", help="Column with the time of prediction"),
        Param("key_column", "str", "", help="Column that names a row"),
        Param(
            "range_margin",
            "float",
            0.25,
            minimum=0,
            maximum=10,
            help="Widen observed ranges by this share of their width (own)",
        ),
        Param(
            "null_margin",
            "float",
            0.05,
            minimum=0,
            maximum=1,
            help="Let the missing share grow by this much before it violates (own)",
        ),
        Param(
            "max_categories",
            "int",
            50,
            minimum=2,
            maximum=1000,
            help="List the categories of text columns with at most this many (own)",
        ),
    ),
)
