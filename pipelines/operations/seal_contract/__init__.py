"""Complete a proposed data contract with what people declare, and seal it."""
