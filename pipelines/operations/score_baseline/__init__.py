"""What the simplest answers score: the bar for every model."""
