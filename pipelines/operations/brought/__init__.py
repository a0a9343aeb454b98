"""Models that people bring: what a file is, what is declared of it, and what it does."""
