"""Look at an uploaded file before a use case is made from it."""
