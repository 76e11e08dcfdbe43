"""`aramega status --watch`: the same picture again and again, until Ctrl-C."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aramega.workspace import WorkspaceFolder


def watch_as_json(place: WorkspaceFolder, interval: float) -> None:
    """One object a line."""
    from aramega.monitor.watch import watch

    try:
        for moment in watch(place, interval):
            print(json.dumps(moment.to_dict(), ensure_ascii=False), flush=True)
    except KeyboardInterrupt:
        return
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def watch_live(place: WorkspaceFolder, interval: float) -> None:
    """In place on a terminal; one picture below the other where the output is none."""
    from rich.console import Console
    from rich.live import Live

    from aramega.monitor.display import render
    from aramega.monitor.watch import watch

    console = Console()
    try:
        if not console.is_terminal:
            for moment in watch(place, interval):
                console.print(render(moment), "", soft_wrap=True)
            return
        with Live(console=console, auto_refresh=False) as live:
            for moment in watch(place, interval):
                live.update(render(moment), refresh=True)
    except KeyboardInterrupt:
        return
