"""Reperformance: an approved run computed again from its records, and compared."""
