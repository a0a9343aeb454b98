"""Operation `screen_columns`."""
