"""Recognizers: what turns sound into text. `recognizer` says what one is, `by_name` makes the one that is named."""
