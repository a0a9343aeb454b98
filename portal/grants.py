"""Rights of the application's database role: rows yes, tables no."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

# Asked of PostgreSQL once per database and not per application that migrates.
_TRIGGERING_LABEL = "contenttypes"


def grant_to_application(sender: AppConfig, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Before migrating: what the owner makes from now on, the application may read and write.

    Default rights act when a table is made, so a migration may still take single ones back
    (an append-only table revokes UPDATE and DELETE).
    """
    if sender.label != _TRIGGERING_LABEL:
        return
    connection = connections[using]
    role = settings.APPLICATION_ROLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user <> rolname FROM pg_roles WHERE rolname = %s", [role])
        found = cursor.fetchone()
        if found is None or not found[0]:
            return  # one role for both: nothing to grant
        name = connection.ops.quote_name(role)
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        cursor.execute(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public "
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {name}"
        )
        cursor.execute(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {name}"
        )
