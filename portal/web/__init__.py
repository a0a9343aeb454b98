"""Pages by noun: access, input, one action or query, answer. No rules live here."""
