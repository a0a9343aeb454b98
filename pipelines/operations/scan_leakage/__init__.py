"""Look for columns that give the target away."""
