"""Comparison: several runs read, scored against each other, and drawn on one page."""
