"""The sample that comes with the package: four minutes of made-up broadcast, its manifest, and a toy recognizer for it.

It shows the way through a build, and is what tests cut their recordings from. How the recognizer was trained, and how
badly it hears anything else: recipes/demo_asr/README.md.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_FOLDER = Path(str(files(__package__)))

BROADCAST = _FOLDER / "broadcast.mp3"
MANIFEST = _FOLDER / "manifest.csv"
"""A manifest that names the broadcast, with its title and where it comes from."""
RECOGNIZER = _FOLDER / "demo-asr.pt"
"""The checkpoint that `--asr-model demo` names."""
