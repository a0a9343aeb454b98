"""What Django writes by itself, by language: numbers stay as programs read them."""
