"""Datasets as examples: adapters read them, `load_examples` checks them, `Examples` serves them."""

from recipes.data.config import DataConfig, DatasetConfig
from recipes.data.examples import Example, Examples, LoadedExample
from recipes.data.load import load_examples

__all__ = ["DataConfig", "DatasetConfig", "Example", "Examples", "LoadedExample", "load_examples"]
