"""Operations of our own for Baton."""
