"""Stages: each a named, versioned, pure function from items to records.

`base` says what one is, `names` what ours are called, `ours` makes them, `plugin` makes another distribution's. Who only
needs a name or a type loads no signal processing.
"""
