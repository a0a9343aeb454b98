"""declare_features: the columns that a brought model takes, held against table and contract."""
