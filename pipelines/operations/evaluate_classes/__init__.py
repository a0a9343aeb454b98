"""Operation `evaluate_classes`."""
