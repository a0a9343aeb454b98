"""Operations that only the fault tests know."""
