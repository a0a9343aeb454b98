"""Old code beside new: what old code does not know must not keep it from writing rows."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

# What code of the first version writes: its columns, by table.
FIRST = "0001_initial"


def columns_of_the_first_code() -> dict[str, set[str]]:
    """Every table with the columns that the first migrations made: old code knows these."""
    loader = MigrationExecutor(connection).loader
    ours = {config.label for config in apps.get_app_configs() if _ours(config.name)}
    # Some first migrations come in two parts, because apps refer to each other.
    first = [node for node in loader.graph.nodes if node[0] in ours and ("initial" in node[1])]
    state = loader.project_state(first)
    found: dict[str, set[str]] = {}
    for model in state.apps.get_models():
        if model._meta.app_label in ours:
            columns = {field.column for field in model._meta.local_fields}
            found[model._meta.db_table] = columns
            for many in model._meta.local_many_to_many:
                through: Any = many.remote_field.through
                found[through._meta.db_table] = {x.column for x in through._meta.local_fields}
    return found


def _ours(name: str) -> bool:
    return name.split(".")[0] in ("personas", "pipelines", "portal")


@pytest.mark.django_db
def test_every_later_column_is_filled_by_the_database() -> None:
    """A column that a later migration added is nullable, or has a default of the database."""
    known = columns_of_the_first_code()
    assert {"runs_run", "runs_gate", "personas_event"} <= set(known)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL"
            "   AND is_identity = 'NO' AND is_generated = 'NEVER'"
        )
        bare = {(str(table), str(column)) for table, column in cursor.fetchall()}
    missing = sorted(
        f"{table}.{column}"
        for table, column in bare
        if table in known and column not in known[table]
    )
    assert not missing, (
        f"{missing}: give these a db_default, or old code cannot insert beside new code"
    )


@pytest.mark.django_db
def test_no_later_migration_takes_away_what_old_code_writes() -> None:
    """A column that old code knows is still there: it goes with the release after next."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        )
        present = {(str(table), str(column)) for table, column in cursor.fetchall()}
    known = columns_of_the_first_code()
    gone = sorted(
        f"{table}.{column}"
        for table, columns in known.items()
        for column in columns
        if (table, column) not in present
    )
    assert gone == []
