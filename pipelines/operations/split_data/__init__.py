"""Split a table into rows to learn from and rows to decide on."""
