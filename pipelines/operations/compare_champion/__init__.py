"""compare_champion: is the challenger worth going out for what serves today."""
