"""retrain_clean: does the recipe give the same model again."""
