"""Check: what can be measured of a draft, and, given all the others, what is to become of it."""

from aramega.stages.check.stage import Check

__all__ = ["Check"]
