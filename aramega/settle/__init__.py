"""Settle: what drafts and reviews mean. Each rule of the domain that two rooms need stands here, once.

Verdicts on drafts, which reviews stand, one answer per field out of a draft and its reviews, agreement between
annotators, how far texts are apart, which word became which. Reviewing, publishing and looking ask here.
"""
