"""Operation `split_origins`."""
