"""Evaluation: predictions in, scores with intervals, slices, paired tests and baselines out."""
