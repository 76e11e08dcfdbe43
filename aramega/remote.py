"""Remote: files behind addresses such as s3://bucket/archive/a.mp3, through fsspec.

Recordings are fetched whole before anything looks into them: ffmpeg never speaks to a network. What a workspace keeps
(its clips and frame tables) can be sent to an address, from where workers on other machines take it.

Credentials come from the environment, as each store's own tools read them (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL,
GOOGLE_APPLICATION_CREDENTIALS, HF_TOKEN, …), and an address that holds any is refused. A store that is slow, busy or
breaks off is asked again, a little later each time; a file counts as fetched when it has the size the store says.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aramega.errors import AramegaError
from aramega.retry import retry

R = TypeVar("R")

_MANY = 4
"""From so many files of one folder, listing it is quicker than asking for each."""


@dataclass(frozen=True)
class _Kind:
    """A kind of store."""

    library: str
    extra: str
    options: Mapping[str, Any]


_S3 = _Kind("s3fs", "s3", {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60}})
_KINDS = {
    "s3": _S3,
    "s3a": _S3,
    "gs": _Kind("gcsfs", "gs", {}),
    "gcs": _Kind("gcsfs", "gs", {}),
    "hf": _Kind("huggingface_hub", "publish", {}),
}


@dataclass(frozen=True)
class RemoteFile:
    """A file in a store."""

    address: str
    size: int
    stamp: int
    """Another one when the file is another."""


def is_address(name: str) -> bool:
    return "://" in name


def checked_address(address: str) -> str:
    """The address without a slash at its end, if it is one we can use, and holds no secret."""
    scheme, _, rest = address.partition("://")
    kind = _KINDS.get(scheme.lower())
    if kind is None:
        raise AramegaError(
            f"{_shown(address)}: aramega fetches from s3://, gs:// and hf:// alone; download it first (curl, yt-dlp), "
            "then name the file."
        )
    if "@" in rest.split("/")[0] and scheme != "hf":
        raise AramegaError(f"{_shown(address)}: holds a user or a password. Put credentials into the environment.")
    if not rest.strip("/"):
        raise AramegaError(f"{address}: names no bucket. Give for example {scheme}://bucket/folder.")
    if importlib.util.find_spec(kind.library) is None:
        raise AramegaError(f"{address}: needs {kind.library}: pip install '.[{kind.extra}]' in aramega's clone.")
    return f"{scheme.lower()}://{rest.rstrip('/')}"


def find_files(address: str) -> list[RemoteFile]:
    """The file of this address; the files below it; or those that match it, where it has `*`, `?` or `[`."""
    checked = checked_address(address)
    files = _files(checked)

    def list_files() -> dict[str, dict[str, Any]]:
        files.invalidate_cache()
        listed = files.glob(checked, detail=True) if _is_pattern(checked) else files.find(checked, detail=True)
        return {name: about for name, about in listed.items() if about.get("type") == "file"}

    listed = _ask_store(list_files, checked)
    return sorted((_entry(checked, about) for about in listed.values()), key=lambda entry: entry.address)


def files_at(addresses: Iterable[str]) -> dict[str, RemoteFile]:
    """What is at each address; left out are those where nothing is, and those of a store that does not answer: whoever
    comes to read them will say why."""
    by_folder: dict[str, list[str]] = {}
    for address in addresses:
        by_folder.setdefault(posixpath.dirname(address), []).append(address)
    entries: dict[str, RemoteFile] = {}
    for folder, wanted in by_folder.items():
        with contextlib.suppress(AramegaError):
            if len(wanted) >= _MANY:
                listed = {entry.address: entry for entry in _list(folder)}
                entries |= {address: listed[address] for address in wanted if address in listed}
            else:
                entries |= {address: entry for address in wanted if (entry := file_at(address))}
    return entries


def file_at(address: str) -> RemoteFile | None:
    """What is at one address."""
    files = _files(address)

    def ask() -> RemoteFile | None:
        files.invalidate_cache()
        try:
            return _entry(address, files.info(address))
        except FileNotFoundError:
            return None

    return _ask_store(ask, address)


def read(address: str) -> bytes:
    """A small file's bytes."""
    files = _files(address)
    content: bytes = _ask_store(lambda: files.cat_file(address), address)
    return content


def fetch(entry: RemoteFile, to: Path) -> None:
    """Fill `to` with the file's bytes, all of them."""
    files = _files(entry.address)

    def copy() -> None:
        files.get_file(entry.address, str(to))
        if (got := to.stat().st_size) != entry.size:
            raise ConnectionError(f"ended after {got} of {entry.size} bytes")

    _ask_store(copy, entry.address)


def send(path: Path, address: str) -> None:
    """Put a file there; stores show it whole or not at all."""
    files = _files(address)
    _ask_store(lambda: files.put_file(str(path), address), address)


def remove(addresses: Iterable[str]) -> None:
    for address in addresses:
        files = _files(address)
        _ask_store(lambda files=files, address=address: files.rm_file(address), address)  # type: ignore[misc]


def _list(folder: str) -> list[RemoteFile]:
    files = _files(folder)

    def ask() -> list[RemoteFile]:
        files.invalidate_cache()
        try:
            return [_entry(folder, about) for about in files.ls(folder, detail=True) if about.get("type") == "file"]
        except FileNotFoundError:
            return []

    return _ask_store(ask, folder)


_SETTINGS = ("AWS_", "GOOGLE_", "STORAGE_EMULATOR_HOST", "FSSPEC_")
"""How the variables begin that say where a store is and who asks. A notebook may set them after a first try."""
_open: dict[tuple[object, ...], Any] = {}
"""Each process's own. A fork leaves its parent's alone: closed in the child, they complain of another's event loop."""


def _files(address: str) -> Any:
    import fsspec

    scheme = address.partition("://")[0]
    settings = tuple(sorted(item for item in os.environ.items() if item[0].startswith(_SETTINGS)))
    key = (os.getpid(), scheme, settings)
    if key not in _open:
        _open[key] = fsspec.filesystem(scheme, skip_instance_cache=True, **_KINDS[scheme].options)
    return _open[key]


def _ask_store(ask: Callable[[], R], address: str) -> R:
    """Ask again while the store is in trouble; what it means by its refusals is said in one line."""
    try:
        return retry(ask, may_pass=_may_pass, doing=_shown(address))
    except (FileNotFoundError, PermissionError) as error:
        raise AramegaError(f"{_shown(address)}: {_reason(error)}") from None
    except Exception as error:  # stores raise whatever their libraries do
        if _is_of_this_disk(error):
            raise
        raise AramegaError(
            f"{_shown(address)}: {_reason(error)} Run again when it is mended, with --retry-failed."
        ) from None


def _may_pass(error: BaseException) -> bool:
    """Whether asking again may help: not where credentials are missing or wrong, nor where this machine's own disk
    is in trouble."""
    if not isinstance(error, Exception) or isinstance(error, FileNotFoundError | PermissionError):
        return False
    name = type(error).__name__
    is_about_credentials = any(word in name for word in ("Credentials", "Validation", "Refresh", "Auth"))
    return not is_about_credentials and not _is_of_this_disk(error)


def _is_of_this_disk(error: Exception) -> bool:
    return isinstance(error, OSError) and bool(error.filename) and not is_address(str(error.filename))


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file, bucket or repository."
    if isinstance(error, PermissionError):
        return "the store does not let us. Are the credentials in the environment, and may they do this?"
    if "Credentials" in type(error).__name__:
        return "there are no credentials in the environment."
    words = " ".join(str(error).split())[:200].rstrip(".")
    return f"the store is in trouble ({words or type(error).__name__})."


def _entry(asked: str, about: Mapping[str, Any]) -> RemoteFile:
    scheme = asked.partition("://")[0]
    name = str(about["name"])
    address = name if is_address(name) else f"{scheme}://{name}"
    versions = [about.get(key) for key in ("LastModified", "updated", "mtime", "blob_id", "ETag")]
    digest = hashlib.sha256(repr([str(version) for version in versions if version]).encode()).digest()
    return RemoteFile(address, int(about.get("size") or 0), int.from_bytes(digest[:7], "big"))


def _is_pattern(address: str) -> bool:
    return any(sign in address for sign in "*?[")


def _shown(address: str) -> str:
    """The address without what may be a password."""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
