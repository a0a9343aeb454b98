"""What the model operations share: feature definitions, encoders, families, metrics."""
