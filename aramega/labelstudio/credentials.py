"""Credentials: finds the token for a Label Studio in the environment, or in what `review start` wrote down.

Secrets lie in files only their owner can read, under the user's configuration folder and never in a workspace,
which people copy and publish.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from aramega.errors import AramegaError

VARIABLE = "LABEL_STUDIO_API_KEY"


@dataclass(frozen=True)
class Credentials:
    """The first user of a Label Studio that we started."""

    url: str
    email: str
    password: str
    token: str


def find_token(url: str) -> str:
    """The token for a server: the environment's, else the one of the server we started there."""
    if token := os.environ.get(VARIABLE, "").strip():
        return token
    for file in sorted(_folder().glob("label-studio-*.json")):
        credentials = _read(file)
        if credentials and credentials.url == url:
            return credentials.token
    raise AramegaError(
        f"no token for {url}. Set {VARIABLE} (in Label Studio: Account & Settings → Personal Access Token), "
        "or start a server of your own: aramega review start."
    )


def make_credentials(url: str) -> Credentials:
    """New credentials, too long to guess."""
    return Credentials(url, "curator@aramega.local", secrets.token_urlsafe(15), secrets.token_hex(20))


def load_credentials(home: Path) -> Credentials | None:
    """The credentials of the server whose data lie in `home`; None where there are none yet."""
    return _read(_file(home))


def save_credentials(home: Path, credentials: Credentials) -> Path:
    """Write credentials where only we can read them; the file is never readable to others, not even while it is written."""
    file = _file(home)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(asdict(credentials), out, indent=1)
    part.replace(file)
    return file


def _file(home: Path) -> Path:
    return _folder() / f"label-studio-{hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:12]}.json"


def _folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "aramega"


def _read(file: Path) -> Credentials | None:
    try:
        return Credentials(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise AramegaError(f"{file}: cannot be read as credentials; delete it to have new ones made.") from None
