"""aramega: from hours of Arabic broadcast to a human-reviewed speech-summarization dataset."""

__version__ = "0.1.0"
