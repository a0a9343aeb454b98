"""The serving package: one zip with the model, what it takes and gives, and proof rows."""
