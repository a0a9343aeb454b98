"""Declaration of `ingest`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="ingest",
    version=3,  # 3: numbers beyond squaring and unsuited metrics are refused
    summary="Read CSV and Parquet files, join them and build the target into one table",
    inputs=(Port("tables", "csv", many=True, accepts=("parquet",), help="The files, by name"),),
    outputs=(Port("table", "parquet", help="One flat table in the order of the base file"),),
    params=(
        Param("base", "str", "", help="File whose rows are kept; may be left out for one file"),
        Param(
            "joins",
            "list",
            [],
            help="Lookups: {table, on: [column or [base column, lookup column]], columns, prefix}",
        ),
        Param(
            "target_rule",
            "map",
            {},
            help="Build the target: {name, column, op (> >= < <= == !=), value}",
        ),
        Param("target", "str", "", help="Target column when it needs no rule"),
        Param("time_column", "str", "", help="Time of prediction; must hold times"),
        Param(
            "time_parts",
            "map",
            {},
            help="Build time_column from columns: {year, month, day, hour, minute}",
        ),
        Param("time_from", "str", "", help="Drop rows before this time (ISO 8601)"),
        Param("time_until", "str", "", help="Drop rows at or after this time (ISO 8601)"),
        Param("drop_unlabelled", "bool", False, help="Drop rows whose target is missing"),
        Param(
            "metric", "str", "", help="Score that will decide; refused where the target has none"
        ),
        Param("drop_columns", "list", [], help="Columns to leave out"),
        Param("delimiter", "str", "", maximum=1, help="Cell delimiter of CSV; found when empty"),
        Param("null_values", "list", [], help="Texts that mean missing, instead of the usual ones"),
        Param(
            "date_formats",
            "map",
            {},
            help="strptime format by column, where a day could be a month",
        ),
        Param(
            "max_bytes",
            "int",
            64 << 30,
            minimum=1024,
            help="Largest decoded size of one file in bytes (own)",
        ),
    ),
    max_runtime=1800,
)
