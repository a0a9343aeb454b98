"""The console with all its tables: each registers itself with the site when it is imported."""

from portal.console import calendars, connections, people, readiness, reviews, runs
from portal.console.site import site

__all__ = ["calendars", "connections", "people", "readiness", "reviews", "runs", "site"]
