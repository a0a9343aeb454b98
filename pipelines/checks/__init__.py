"""Checks: pure judgements of computed facts against thresholds."""
