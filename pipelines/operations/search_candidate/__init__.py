"""Operation `search_candidate`."""
