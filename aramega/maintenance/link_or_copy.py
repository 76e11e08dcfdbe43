"""Carry a file from one folder to another: as a hard link where the disk allows it, else as a copy.

A link costs no space and no time, and is as good as a copy here, since nothing in a workspace is changed in
place: a new version is written beside the old and renamed over it. Either way the file is whole or not there.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Literal

from aramega.records import AramegaError
from aramega.workspace import whole_file

How = Literal["there", "linked", "copied"]

_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""What the system says where a link cannot be made but a copy may be."""


def carry(source: Path, target: Path) -> How:
    """See to it that `target` is `source`; what is there already is left, what is another file is replaced."""
    if is_same(source, target):
        return "there"
    with whole_file(target) as part:
        part.unlink(missing_ok=True)
        how = _link(source, part) or _copy(source, part)
    return how


def is_same(source: Path, target: Path) -> bool:
    """The same size and time of change, as rsync asks; two seconds apart is the same on a FAT disk."""
    try:
        ours, theirs = source.stat(), target.stat()
    except FileNotFoundError:
        return False
    return ours.st_size == theirs.st_size and abs(ours.st_mtime - theirs.st_mtime) < 2


def _link(source: Path, part: Path) -> How | None:
    try:
        os.link(os.path.realpath(source), part)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return None
    return "linked"


def _copy(source: Path, part: Path) -> How:
    shutil.copy2(source, part)
    copied, whole = part.stat().st_size, source.stat().st_size
    if copied != whole:
        raise AramegaError(f"{source}: only {copied:,} of {whole:,} bytes arrived. Is the disk full? Run again.")
    return "copied"
