"""Operation `build_features`."""
