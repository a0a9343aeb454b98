"""Operation `evaluate_forecast`."""
