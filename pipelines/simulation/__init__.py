"""A simulated team: drawn people and machines drive the real actions on the simulation clock."""
