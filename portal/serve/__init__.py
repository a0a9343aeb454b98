"""The prediction process: the only HTTP process that imports scikit-learn."""
