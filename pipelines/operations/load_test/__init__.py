"""load_test: does a package do in a clean process what it promises, and how fast."""
