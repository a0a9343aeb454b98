"""Operations: what a step computes. One folder each: spec.py (light) and compute.py."""
