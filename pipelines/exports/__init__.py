"""Exports: a model version in other tools' formats."""
