"""write_card: what the model is, for whom, how good, and where not to use it."""
