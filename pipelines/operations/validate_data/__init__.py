"""Hold a table against its data contract."""
