"""The command line: parse, call, show. Everything it can do, Python can do without it.

Heavy imports wait inside the commands, so that `aramega --help` answers at once. Errors a user can mend
are caught here, once, and shown as one line.
"""

from __future__ import annotations

import os
import sqlite3
import sys

import typer
from typer.core import TyperGroup

from aramega.cli.browse import browse
from aramega.cli.build import ALL_DONE, build_ssum
from aramega.cli.demo import demo
from aramega.cli.doctor import doctor
from aramega.cli.home import fetch
from aramega.cli.keep import backup, gc, merge, split
from aramega.cli.look import export, init, options, preview, report, status
from aramega.cli.publish import diff, publish
from aramega.cli.review import app as review
from aramega.errors import AramegaError

CRASHED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

# A worker is one core's worth: numpy's own threads would fight the other workers, and sum in another order.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

HABITS = {
    "push": "review push",
    "pull": "review pull",
    "run": "build-ssum",
    "build": "build-ssum",
    "ls": "status",
    "list": "status",
    "info": "status",
}
"""What people type by habit from git, dvc or docker, and the command of ours that they mean. `push` must never lead to
`publish`, which it resembles: that one makes things public."""


class _HabitsGroup(TyperGroup):
    """Answers a habit with the command that is meant; other unknown names get typer's nearest spelling."""

    def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def]  # typer has click's types to itself
        meant = HABITS.get(args[0]) if args else None
        if meant:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {meant!r}?")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="aramega",
    cls=_HabitsGroup,
    epilog="Start with `aramega demo`, or `aramega build-ssum FOLDER --workspace DIR`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.callback(help="From hours of Arabic broadcast to a human-reviewed speech-summarization dataset.")(options)
app.command("build-ssum", rich_help_panel="Make")(build_ssum)
app.command("demo", rich_help_panel="Make")(demo)
app.command("init", rich_help_panel="Make")(init)
app.command("status", rich_help_panel="Look")(status)
app.command("report", rich_help_panel="Look")(report)
app.command("export", rich_help_panel="Look")(export)
app.command("preview", rich_help_panel="Look")(preview)
app.command("browse", rich_help_panel="Look")(browse)
app.command("publish", rich_help_panel="Publish")(publish)
app.command("diff", rich_help_panel="Publish")(diff)
app.command("fetch", rich_help_panel="Keep")(fetch)
app.command("gc", rich_help_panel="Keep")(gc)
app.command("backup", rich_help_panel="Keep")(backup)
app.command("merge", rich_help_panel="Keep")(merge)
app.command("split", rich_help_panel="Keep")(split)
app.add_typer(review, name="review", rich_help_panel="Review")
app.command("doctor", rich_help_panel="Look")(doctor)


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
        message, code = _explain(error)
        print(f"aramega: {message}", file=sys.stderr)
        return code
    except Exception as error:
        if not hasattr(error, "show"):
            raise
        error.show()  # click's own usage errors
        return WRONG_USAGE


def _explain(error: AramegaError | sqlite3.DatabaseError | OSError) -> tuple[str, int]:
    if isinstance(error, AramegaError):
        return str(error), WRONG_USAGE
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{error.filename}: is a file, not a folder.", WRONG_USAGE
    if isinstance(error, sqlite3.DatabaseError):
        return f"the workspace's database: {error}. What was committed is safe; run again when that is mended.", CRASHED
    where = f" ({error.filename})" if error.filename else ""
    return f"{(error.strerror or str(error)).lower()}{where}. Run again when that is mended.", CRASHED
