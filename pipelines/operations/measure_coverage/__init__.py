"""Operation `measure_coverage`."""
