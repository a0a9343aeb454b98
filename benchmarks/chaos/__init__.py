"""Chaos: a Baton of its own under load, killed at random, and the proof that nothing suffered."""
