"""Operation `evaluate_model`."""
