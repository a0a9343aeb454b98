"""Write a line into a file, then take a while: what must not happen twice."""
