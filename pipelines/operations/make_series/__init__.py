"""Operation `make_series`."""
