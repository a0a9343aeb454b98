"""REST, version 1: access, serializer, one action or query, answer."""
