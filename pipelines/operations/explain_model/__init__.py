"""Operation `explain_model`."""
