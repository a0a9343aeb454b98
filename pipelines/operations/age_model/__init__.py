"""Operation `age_model`."""
