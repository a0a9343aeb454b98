"""Baton's own statistics against packages that compute the same; docs/references.md lists all."""
