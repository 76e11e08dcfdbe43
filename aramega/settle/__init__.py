"""Settle: what drafts and reviews mean, for every room that asks: which reviews stand, and what follows from them."""
