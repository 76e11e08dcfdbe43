"""The version of the package, by itself: rooms below the API name it in what they write."""

__version__ = "0.1.0"
