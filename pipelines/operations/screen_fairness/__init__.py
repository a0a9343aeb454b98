"""Operation `screen_fairness`."""
