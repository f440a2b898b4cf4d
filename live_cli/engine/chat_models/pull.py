"""Fetches a chat model: pinned by its hash, resumable, in place only when complete."""

import hashlib
import http
import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from live_cli.engine.chat_models.lookup import PULLABLE, AvailableModel, cache_folder
from live_cli.errors import EngineError

_BLOCK = 1 << 18
_TIMEOUT_S = 30.0
_NOT_FOUND, _RANGE_REFUSED = 404, 416

PullProgress = Callable[[int, int | None], None]
"""Called with the bytes that have come and the size of the file, where that is known."""


def pull(
    what: str,
    progress: PullProgress = lambda there, whole: None,
    *,
    sha256: str | None = None,
    size: int | None = None,
    folder: Path | None = None,
) -> AvailableModel:
    """Fetch a model by its name in `PULLABLE`, or by URL with its SHA-256 (and size, if known).

    An interrupted pull goes on where it stopped. The file gets its name only when it is complete
    and its hash is right. Raises EngineError: not found, no network, disk full, wrong hash.
    """
    pinned = PULLABLE.get(what)
    if pinned is not None:
        name, url, sha256, size = pinned.name, pinned.url, pinned.sha256, pinned.size
    else:
        name, url = _name_in(what), what
    if sha256 is None or not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise EngineError(
            "a model fetched by address needs its hash: add --sha256 and 64 hex digits"
        )
    target = (folder or cache_folder()) / f"{name}.gguf"
    part = target.with_suffix(f".{sha256[:8]}.part".lower())
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and _hash_of(target).hexdigest() == sha256.lower():
            return AvailableModel(name, target, "cache", target.stat().st_size)
        _fetch(url, part, size, progress)
        if _hash_of(part).hexdigest() != sha256.lower():
            part.unlink()
            raise EngineError(f"{url} is not the file it should be (SHA-256 differs): not kept")
        os.replace(part, target)
    except OSError as exc:
        raise EngineError(f"cannot write {part.parent}: {exc.strerror or exc}") from exc
    return AvailableModel(name, target, "cache", target.stat().st_size)


def _name_in(url: str) -> str:
    """The name of a model from its address. Raises EngineError when ``url`` is no address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        known = ", ".join(PULLABLE)
        raise EngineError(
            f"no model to pull is called {url!r}: {f'choose {known}, or ' if known else ''}"
            "give the https address of a GGUF file"
        )
    stem = re.sub(r"\.gguf$", "", unquote(parts.path.rsplit("/", 1)[-1]), flags=re.IGNORECASE)
    return re.sub(r"[^\w.-]", "-", stem).lstrip(".-") or "model"


def _hash_of(path: Path) -> "hashlib._Hash":
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


def _fetch(url: str, part: Path, size: int | None, progress: PullProgress) -> None:
    """Complete ``part`` from ``url``, from its end on where the server supports that."""
    there = part.stat().st_size if part.is_file() else 0
    if size is not None and there >= size:
        return  # whole, or too long: the hash tells
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})  # noqa: S310
    if there:
        request.add_header("Range", f"bytes={there}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            if there and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                there = 0  # it sends all of it again
            _receive(answer, part, there, size, progress)
    except urllib.error.HTTPError as exc:
        exc.close()
        if exc.code == _RANGE_REFUSED and there:
            return  # nothing is missing
        gone = exc.code == _NOT_FOUND
        status = "there is no such file (HTTP 404)" if gone else f"HTTP {exc.code}"
        raise EngineError(f"cannot fetch {url}: {status}") from exc
    except (urllib.error.URLError, TimeoutError, http.client.HTTPException, ConnectionError) as exc:
        why = getattr(exc, "reason", None) or exc
        raise EngineError(
            f"cannot fetch {url} ({why}): the same command goes on where this stopped"
        ) from exc


def _receive(
    answer: http.client.HTTPResponse,
    part: Path,
    there: int,
    size: int | None,
    progress: PullProgress,
) -> None:
    length = answer.headers.get("Content-Length")
    whole = size if size is not None else there + int(length) if length else None
    with part.open("r+b" if there else "wb") as file:
        file.seek(there)
        file.truncate()
        progress(there, whole)
        while block := answer.read(_BLOCK):
            if size is not None and there + len(block) > size:
                raise EngineError(f"{answer.url} is longer than the {size} bytes it should have")
            file.write(block)
            there += len(block)
            progress(there, whole)
    if whole is not None and there < whole:
        raise EngineError(
            f"the connection to {urlsplit(answer.url).hostname} broke off at {there} of {whole} "
            "bytes: the same command goes on where this stopped"
        )
