"""Publish: resolved passages become a Hugging Face dataset, with splits that do not leak and a card that tells the truth."""
