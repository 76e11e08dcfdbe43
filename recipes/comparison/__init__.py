"""The library of `python -m recipes.compare`: runs read, scored against each other, and drawn on one page."""
