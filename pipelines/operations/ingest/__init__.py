"""Read CSV and Parquet files, join them, build the target, write one table."""
