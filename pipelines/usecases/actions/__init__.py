"""Changes to use cases, seats and blueprints, one module per noun."""

from pipelines.usecases.actions.blueprints import lint_plan, lint_source, publish_blueprint
from pipelines.usecases.actions.delegations import Wish, delegate, end_delegation
from pipelines.usecases.actions.seats import end_seat, give_seat
from pipelines.usecases.actions.use_cases import (
    LONGEST_TITLE,
    change_use_case,
    create_use_case,
    retire_use_case,
)
from pipelines.usecases.actions.views import remove_view, save_view, view_query

__all__ = [
    "LONGEST_TITLE",
    "Wish",
    "change_use_case",
    "create_use_case",
    "delegate",
    "end_delegation",
    "end_seat",
    "give_seat",
    "lint_plan",
    "lint_source",
    "publish_blueprint",
    "remove_view",
    "retire_use_case",
    "save_view",
    "view_query",
]
