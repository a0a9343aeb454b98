"""read_drill: what a rollback drill measured, as facts."""
