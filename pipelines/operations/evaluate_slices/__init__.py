"""Operation `evaluate_slices`."""
