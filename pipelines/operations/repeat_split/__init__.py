"""repeat_split: does the written recipe of a split give the same rows again."""
