"""compare_artefacts: is what was computed again what was computed before?"""
