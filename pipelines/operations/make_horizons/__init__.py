"""Operation `make_horizons`."""
