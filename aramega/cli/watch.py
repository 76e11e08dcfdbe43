"""How `aramega status` looks: once, or again and again until Ctrl-C."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aramega.monitor.status import Status
    from aramega.monitor.watch import Moment


def show_status(status: Status) -> None:
    from aramega.monitor.status import render_status

    print(render_status(status))


def watch_as_json(moments: Iterator[Moment]) -> None:
    """One object a line."""
    try:
        for moment in moments:
            print(json.dumps(moment.to_dict(), ensure_ascii=False), flush=True)
    except KeyboardInterrupt:
        return
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def watch_live(moments: Iterator[Moment]) -> None:
    """In place on a terminal; one picture below the other where the output is none."""
    from rich.console import Console
    from rich.live import Live

    from aramega.monitor.terminal import render

    console = Console()
    try:
        if not console.is_terminal:
            for moment in moments:
                console.print(render(moment), "", soft_wrap=True)
            return
        with Live(console=console, auto_refresh=False) as live:
            for moment in moments:
                live.update(render(moment), refresh=True)
    except KeyboardInterrupt:
        return
