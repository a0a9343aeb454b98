"""What operations share that learn without labels: columns, numbers, samples, plain words."""
