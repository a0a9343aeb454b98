"""The formulas of flow, pure: records in, figures out. No framework, no database, no clock."""
