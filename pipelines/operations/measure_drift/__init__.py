"""measure_drift: what has moved since the reference, in inputs and in scores."""
