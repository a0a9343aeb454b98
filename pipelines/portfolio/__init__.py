"""Everything that is worked on at once: the board, and the portfolio of use cases."""
