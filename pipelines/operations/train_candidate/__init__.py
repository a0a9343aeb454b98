"""Operation `train_candidate`."""
