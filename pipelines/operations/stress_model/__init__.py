"""Operation `stress_model`."""
