"""compare_candidates: hold a candidate against simple models on the same unseen rows."""
