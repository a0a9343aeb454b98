"""Operation `select_candidate`."""
