"""measure_quality: how good the answers were, now that labels have come in."""
