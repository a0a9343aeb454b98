"""Reads of runs for pages and API, one module per page; each has a fixed number of queries."""
