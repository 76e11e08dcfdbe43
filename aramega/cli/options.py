"""Options that several commands take, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="As one JSON object, for machines.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="PATH", help="Where to.")]
Where = Annotated[
    str, typer.Option("--where", metavar="SQL", help="Only these passages, for example: dialect = 'EGY'.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
