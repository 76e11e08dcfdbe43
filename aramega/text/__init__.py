"""Arabic text: what is cleaned, how texts are compared, how far apart they are."""

from aramega.text.error_rates import SCRIPTS, cer, edit_counts, edit_counts_by_script, wer
from aramega.text.loops import compression_ratio
from aramega.text.normalization import PROFILES, clean, european_digits, normalize, strip_diacritics
from aramega.text.numerals import numbers
from aramega.text.overlap import Rouge, chrf, chrf_counts, chrf_from_counts, rouge
from aramega.text.tokens import arabic_share, sentences, tokenize, words

__all__ = [
    "PROFILES",
    "SCRIPTS",
    "Rouge",
    "arabic_share",
    "cer",
    "chrf",
    "chrf_counts",
    "chrf_from_counts",
    "clean",
    "compression_ratio",
    "edit_counts",
    "edit_counts_by_script",
    "european_digits",
    "normalize",
    "numbers",
    "rouge",
    "sentences",
    "strip_diacritics",
    "tokenize",
    "wer",
    "words",
]
