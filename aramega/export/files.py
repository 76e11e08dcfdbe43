"""Where an export's text goes: into one file (or a few) for the whole set, or one file per recording.

A file appears under its name only when it is whole. Names that end in `.gz` are compressed, without the
time and name gzip would put in its header, so that the same lines are the same bytes.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from aramega.export.contents import Contents, Unit
from aramega.records import AramegaError
from aramega.workspace import whole_file

Render = Callable[[Contents, Unit], Iterable[str]]
"""One recording's text in a format, in pieces that are written one after the other."""


class Format(Protocol):
    @property
    def units(self) -> tuple[Unit, ...]:
        """What a line may stand for, the usual first; none where the format holds everything at once."""

    def write(self, contents: Iterable[Contents], out: Path, unit: Unit) -> Iterator[Path]: ...


@dataclass(frozen=True)
class WholeSet:
    files: Mapping[str, Render]
    """By file name, in which `{unit}` stands for the unit."""
    units: tuple[Unit, ...]

    def write(self, contents: Iterable[Contents], out: Path, unit: Unit) -> Iterator[Path]:
        paths = self._paths(out, unit)
        with ExitStack() as stack:
            opened = [(stack.enter_context(_text_file(path)), render) for path, render in paths.items()]
            for recording in contents:
                for file, render in opened:
                    file.writelines(render(recording, unit))
        yield from paths

    def _paths(self, out: Path, unit: Unit) -> dict[Path, Render]:
        named = {name.format(unit=unit): render for name, render in self.files.items()}
        if len(named) == 1 and out.suffix == Path(*named).suffix and not out.is_dir():
            return dict(zip([out], named.values(), strict=True))
        _check_folder(out)
        return {out / name: render for name, render in named.items()}


@dataclass(frozen=True)
class FilePerRecording:
    suffix: str
    render: Render
    units: tuple[Unit, ...]

    def write(self, contents: Iterable[Contents], out: Path, unit: Unit) -> Iterator[Path]:
        _check_folder(out)
        for recording in contents:
            path = out / f"{recording.name}{self.suffix}"
            with _text_file(path) as file:
                file.writelines(self.render(recording, unit))
            yield path


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise AramegaError(f"{out}: is a file, and a folder is needed here. Name another with --out.")


@contextmanager
def _text_file(path: Path) -> Iterator[TextIO]:
    # A path that is not UTF-8 reaches us with lone surrogates, which have no bytes; `backslashreplace`
    # writes them as \udcXX, which is how JSON spells them, so even such a path survives the way.
    with whole_file(path) as part, part.open("wb") as raw, ExitStack() as stack:
        packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw
        stack.enter_context(packed)
        yield stack.enter_context(io.TextIOWrapper(packed, "utf-8", errors="backslashreplace", newline="\n"))
