"""The command line: parse, call `aramega.api`, show. Everything it can do, Python can do without it.

Heavy imports wait inside the commands, so that `aramega --help` answers at once. Errors a user can mend
are caught here, once, and shown as one line.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from aramega.cli.browse import browse
from aramega.cli.build import build_ssum
from aramega.cli.command import Entry, full_command, light_command
from aramega.cli.demo import demo
from aramega.cli.doctor import doctor
from aramega.cli.exit_codes import ALL_DONE, COME_BACK_LATER, FAILED, INTERRUPTED, WRONG_USAGE
from aramega.cli.keep import backup, fetch, gc, merge, split
from aramega.cli.look import export, init, preview, report, status
from aramega.cli.plugins import check_plugin
from aramega.cli.publish import diff, publish
from aramega.cli.review import check_config, export_files, import_files, pull, push, serve
from aramega.cli.review import preview as review_preview
from aramega.cli.review_settle import agreement, calibrate, resolve
from aramega.cli.review_settle import status as review_status
from aramega.cli.review_start import start
from aramega.cli.session import SESSION
from aramega.errors import AramegaError, NotNow

# A worker is one core's worth: numpy's own threads would fight the other workers, and sum in another order.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

COMMANDS: tuple[Entry, ...] = (
    *(build_ssum, init, demo),
    *(start, push, review_preview, pull, review_status, agreement, calibrate, resolve),
    *(serve, check_config, export_files, import_files),
    *(publish, diff),
    *(status, report, browse, export, preview),
    *(fetch, gc, backup, merge, split),
    *(doctor, check_plugin),
)
"""In the order of work, which is the order of the help."""

SHORT_FORMS = {"build": "build-ssum"}

HABITS = {
    "push": "review push",
    "pull": "review pull",
    "run": "build-ssum",
    "ls": "status",
    "list": "status",
    "info": "status",
}
"""What people type by habit from git, dvc or docker, and the command of ours that they mean. `push` must never lead to
`publish`, which it resembles: that one makes things public."""

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class _CommandGroup(TyperGroup):
    """Answers a habit with the command that is meant, and gives a command its options from models when it is run."""

    prefix = ""

    def list_commands(self, ctx: Any) -> list[str]:
        order = dict.fromkeys(entry.words.removeprefix(self.prefix).split()[0] for entry in COMMANDS)
        return [name for name in order if name in self.commands]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        meant = HABITS.get(args[0]) if args and not self.prefix else None
        if meant:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {meant!r}?")
        if args and not self.prefix and args[0] in SHORT_FORMS:
            args = [SHORT_FORMS[args[0]], *args[1:]]
        name, command, rest = super().resolve_command(ctx, args)
        return name, full_click_command(f"{self.prefix}{name}") or command, rest


class _ReviewGroup(_CommandGroup):
    prefix = "review "


def full_click_command(words: str) -> Any:
    """The click command of a table entry with all its options; None where there is no such entry."""
    entry = next((entry for entry in COMMANDS if entry.words == words), None)
    if entry is None:
        return None
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(entry.name, epilog=entry.epilog, context_settings=_SETTINGS)(full_command(entry))
    return typer.main.get_command(single)


def _show_version(wanted: bool) -> None:
    if wanted:
        from aramega.version import __version__

        print(f"aramega {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Show the version and exit.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """What `aramega` itself takes, before any command."""


def _make_app() -> typer.Typer:
    review = typer.Typer(
        cls=_ReviewGroup,
        no_args_is_help=True,
        help="Let people correct the drafts in Label Studio, and settle what they say.",
        epilog="Start with `aramega review start news`, then `aramega review push news`.",
    )
    app = typer.Typer(
        name="aramega",
        cls=_CommandGroup,
        epilog="Start with `aramega demo`, or `aramega build FOLDER --workspace DIR` (`build` is short for build-ssum).",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings=_SETTINGS,
    )
    app.callback(help="From hours of Arabic broadcast to a human-reviewed speech-summarization dataset.")(_options)
    for entry in COMMANDS:
        group = review if entry.words.startswith("review ") else app
        if group is review and not review.registered_commands:
            app.add_typer(review, name="review", rich_help_panel="Review")
        group.command(entry.name, epilog=entry.epilog, rich_help_panel=None if group is review else entry.panel)(
            light_command(entry)
        )
    return app


app = _make_app()


def main() -> None:
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code."""
    code = _dispatch(arguments)
    if code == INTERRUPTED:
        print("\nStopped. Nothing is lost: the same command goes on from here.", file=sys.stderr)
    return code


def _dispatch(arguments: list[str]) -> int:
    try:
        return app(arguments, prog_name="aramega", standalone_mode=False) or ALL_DONE
    except typer.Exit as done:
        return done.exit_code  # typer's own way to say it was interrupted is 130, too
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except (AramegaError, sqlite3.DatabaseError, OSError) as error:
        if SESSION.debug:
            traceback.print_exc()
        message, code = _explain(error)
        print(f"aramega: {message}", file=sys.stderr)
        return code
    except Exception as error:
        if not hasattr(error, "show"):
            raise
        error.show()  # click's own usage errors
        return WRONG_USAGE


def _explain(error: AramegaError | sqlite3.DatabaseError | OSError) -> tuple[str, int]:
    if isinstance(error, NotNow):
        return str(error), COME_BACK_LATER
    if isinstance(error, AramegaError):
        return str(error), WRONG_USAGE
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{error.filename}: is a file, not a folder.", WRONG_USAGE
    if isinstance(error, sqlite3.DatabaseError):
        return f"the workspace's database: {error}. What was committed is safe; run again when that is mended.", FAILED
    where = f" ({error.filename})" if error.filename else ""
    return f"{(error.strerror or str(error)).lower()}{where}. Run again when that is mended.", FAILED
