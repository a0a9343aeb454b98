"""Judge a use-case brief: completeness, value, tier."""
