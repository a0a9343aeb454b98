"""How work flows: where it waits, what comes back, when it will be done, what waiting costs."""
