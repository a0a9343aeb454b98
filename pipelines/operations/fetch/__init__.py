"""Read a table from a database or an object store through a named connection."""
