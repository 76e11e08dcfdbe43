"""What the flags that every command takes have set: how much to tell, and whether to show tracebacks."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass


@dataclass
class Session:
    """The flags of the command that runs."""

    debug: bool = False
    """Show an error's traceback, too."""


SESSION = Session()


def apply_flags(*, verbose: bool, debug: bool) -> None:
    """Set up the command that is about to run."""
    SESSION.debug = debug
    if verbose or debug:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(handler)
        logging.getLogger().setLevel(logging.DEBUG if debug else logging.INFO)
