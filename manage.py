#!/usr/bin/env python
"""Baton's command line: starts the embedded servers a command needs, then runs it."""

import os
import sys

# These read or write no row, so they must neither start nor wait for a server.
WITHOUT_SERVERS = frozenset(
    {
        "check",
        "collectstatic",
        "demo",
        "compilemessages",
        "diffsettings",
        "down",
        "help",
        "makemessages",
        "process",
        "spectacular",
        "startapp",
        "translations",
        "up",
        "version",
    }
)
# These change tables, which the application's own role may not.
AS_OWNER = frozenset(
    {
        "createcachetable",
        "flush",
        "makemigrations",
        "migrate",
        "optimizemigration",
        "pgtrigger",
        "sqlmigrate",
        "squashmigrations",
        "test",
        "up",
    }
)


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    command = arguments[1] if len(arguments) > 1 else "help"
    if command in AS_OWNER:
        os.environ.setdefault("BATON_DB_ROLE", "owner")
    if command == "simulate" or "--simulation" in arguments:
        os.environ["BATON_SIMULATION"] = "yes"

    # Django is imported only now, with the role known.
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        _ = settings.VAR  # read the settings first, to refuse a malformed one in a line
    except ImproperlyConfigured as problem:
        print(f"baton: {problem}", file=sys.stderr)
        return 2

    from portal import embedded

    asks_for_help = not {"--help", "-h", "--version"}.isdisjoint(arguments)
    if command not in WITHOUT_SERVERS and not asks_for_help:
        try:
            embedded.ensure_configured()
        except embedded.EmbeddedError as problem:
            print(f"baton: {problem}", file=sys.stderr)
            return 1
    from django.db import OperationalError

    try:
        execute_from_command_line(arguments)
    except OperationalError as problem:
        print(f"baton: The database does not answer: {str(problem).strip()}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
