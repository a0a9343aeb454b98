"""Changes to runs, one module per noun. Each is one command: locked, receipted, in the ledger."""
