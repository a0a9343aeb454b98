"""Propose a data contract from a table."""
