"""Transcribe: what was said in a passage, segment by segment, with how sure that is and why it may be wrong."""

from aramega.stages.transcribe.stage import Transcribe

__all__ = ["Transcribe"]
