"""Lineage: from raw rows to predictions, as a graph of what is on record."""
