"""measure_traffic: what a shadow, canary or live deployment answered in its window."""
