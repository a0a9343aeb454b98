"""Search across use cases, runs, models, people and documents: PostgreSQL full text."""
