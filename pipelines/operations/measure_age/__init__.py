"""measure_age: how old is what a document speaks of, at a moment that was written down."""
