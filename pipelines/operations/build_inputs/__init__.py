"""Wait, report progress and answer: for first blueprints, tests and benchmarks."""
