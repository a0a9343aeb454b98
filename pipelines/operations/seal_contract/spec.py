"""Declaration of `seal_contract`."""

from pipelines.operations.contract import Param, Port, Spec

SPEC = Spec(
    name="seal_contract",
    version=1,
    summary="Complete a proposed data contract with declarations of people and seal it",
    inputs=(Port("contract", "json", help="The proposed data contract"),),
    outputs=(Port("contract", "json", help="The sealed data contract"),),
    params=(
        Param(
            "declarations",
            "map",
            {},
            help="By column: {available: before|after, pii: bool, treatment: drop|hash|keep, "
            "reason, unit, meaning}; or just before or after",
        ),
        Param(
            "default_available",
            "str",
            "",
            choices=("", "before", "after"),
            help="Availability of columns that no declaration names; empty leaves them undeclared",
        ),
        Param("origin", "str", "", help="Where the data come from"),
        Param("rights", "str", "", help="What they may be used for, and why"),
        Param("refresh", "str", "", help="How often they are renewed"),
        Param("retention", "str", "", help="How long they may be kept"),
        Param("contact", "str", "", help="Who to ask"),
        Param("gaps", "str", "", help="Known gaps"),
        Param("null_meaning", "str", "", help="What a missing value means"),
        Param("key_column", "str", "", help="Column that names a row"),
        Param("time_column", "str", "", help="Column with the time of prediction"),
        Param(
            "max_age_days",
            "float",
            None,
            minimum=0,
            help="Oldest the newest row may be, in days; no limit when empty",
        ),
    ),
    max_runtime=60,
    max_memory=512,
)
