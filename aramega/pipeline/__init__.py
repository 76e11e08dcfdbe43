"""The pipeline: which stages, in which order, on which engine; what is left of them, and one build."""

from aramega.pipeline.pipeline import Pipeline

__all__ = ["Pipeline"]
