"""admit_model: look at a model that was brought, try it, and make a candidate of it."""
