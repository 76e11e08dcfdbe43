"""The library of `python -m recipes.evaluate`: predictions in, scores with intervals, slices and paired tests out."""
