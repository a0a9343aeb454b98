"""Take a stated share of a table's rows, with weights, where it is longer than a limit."""
