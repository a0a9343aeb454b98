"""Delivery: everything that speaks HTTP, and the commands that run the processes."""
