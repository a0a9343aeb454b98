"""Operation `explain_rows`."""
