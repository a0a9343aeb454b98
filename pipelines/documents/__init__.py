"""Documents of a run: built once from what is on record, shown in three forms."""
