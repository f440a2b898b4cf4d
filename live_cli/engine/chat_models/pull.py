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
from typing import Any
from urllib.parse import unquote, urlsplit

from live_cli.engine.chat_models.lookup import (
    PULLABLE,
    AvailableModel,
    available_model,
    cache_folder,
    projector_name,
)
from live_cli.errors import EngineError
from live_cli.paths import make_private
from live_cli.proxies import http_opener, proxy_of_http

_BLOCK = 1 << 18
_TIMEOUT_S = 30.0
_NOT_FOUND, _RANGE_REFUSED = 404, 416
_LARGEST_BYTES = 200 * 1024**3
"""No chat model of one file that a person runs is larger; a server that never ends is."""

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

    A model that sees comes with its projector, the two counted as one.

    An interrupted pull goes on where it stopped. The file gets its name only when it is complete
    and its hash is right. Raises EngineError: not found, no network, disk full, wrong hash.
    """
    folder = folder or cache_folder()
    pinned = PULLABLE.get(what)
    if pinned is None:
        name = _name_in(what)
        path = pull_file(what, folder / f"{name}.gguf", sha256, size, progress)
        return available_model(name, path, "cache")
    name, whole, before = pinned.name, pinned.whole_size, 0

    def tell(there: int, _: int | None) -> None:
        progress(before + there, whole)

    if (file := pinned.projector) is not None:  # first: without it the model would be blind
        pull_file(file.url, folder / projector_name(name), file.sha256, file.size, tell)
        before = file.size
    path = pull_file(pinned.url, folder / f"{name}.gguf", pinned.sha256, pinned.size, tell)
    return available_model(name, path, "cache")


def pull_file(
    url: str, target: Path, sha256: str | None, size: int | None, progress: PullProgress
) -> Path:
    """Put the file at ``url`` into ``target``, unless it is there; return ``target``."""
    if sha256 is None or not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise EngineError(
            "a model fetched by address needs its hash: add --sha256 and 64 hex digits"
        )
    part = target.with_suffix(f".{sha256[:8]}.part".lower())
    try:
        make_private(target.parent)
        if target.is_file() and _hash_of(target).hexdigest() == sha256.lower():
            return target
        _fetch(url, part, size, progress)
        if _hash_of(part).hexdigest() != sha256.lower():
            part.unlink()
            raise EngineError(f"{url} is not the file it should be (SHA-256 differs): not kept")
        os.replace(part, target)
    except OSError as exc:
        raise EngineError(f"cannot write {part.parent}: {exc.strerror or exc}") from exc
    return target


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, and from https to nothing but https."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        target = urlsplit(newurl).scheme.lower()
        if target != "https" and (req.type == "https" or target != "http"):
            raise urllib.error.URLError(f"it redirects to {target or 'nothing'}, which is not safe")
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any
    ) -> Any:
        """Follow, and close the answer where its target cannot be followed."""
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except (ValueError, urllib.error.URLError):
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _name_in(url: str) -> str:
    """Return the name of a model from its address. Raises EngineError where ``url`` is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        usable = usable and url.isascii() and url.isprintable() and " " not in url
    except ValueError:  # a port or an IPv6 address that is none
        usable = False
    if not usable:
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
        with http_opener(_SameScheme()).open(request, timeout=_TIMEOUT_S) as answer:
            if there and not _continues(answer, there):
                there = 0  # it sends all of it again
            _receive(answer, part, there, _whole_size(answer, there, size), progress)
    except urllib.error.HTTPError as exc:
        exc.close()
        if exc.code == _RANGE_REFUSED and there:
            return  # nothing is missing
        gone = exc.code == _NOT_FOUND
        status = "there is no such file (HTTP 404)" if gone else f"HTTP {exc.code}"
        raise EngineError(f"cannot fetch {url}: {status}") from exc
    except (
        urllib.error.URLError,
        TimeoutError,
        http.client.HTTPException,
        ConnectionError,
        ValueError,
    ) as exc:  # ValueError: a redirect to what is no address, or lengths of chunks that are none
        why = getattr(exc, "reason", None) or exc
        proxy = proxy_of_http(url)
        way = f" through the proxy {proxy}" if proxy else ""
        raise EngineError(
            f"cannot fetch {url}{way} ({why}): the same command goes on where this stopped"
        ) from exc


def _continues(answer: http.client.HTTPResponse, there: int) -> bool:
    """Return whether ``answer`` holds the file from byte ``there`` on, as it was asked for."""
    begins = answer.headers.get("Content-Range", f"bytes {there}-").strip()
    return answer.status == http.HTTPStatus.PARTIAL_CONTENT and begins.startswith(f"bytes {there}-")


def _whole_size(answer: http.client.HTTPResponse, there: int, pinned: int | None) -> int | None:
    """Bytes of the whole file: the pinned size, else the announced one, None where none is.

    Raises EngineError for an announced size that is no number or beyond any model's.
    """
    announced = answer.headers.get_all("Content-Length")
    if pinned is not None or announced is None:
        return pinned
    digits = announced[0].strip()
    usable = len(announced) == 1 and digits.isascii() and digits.isdigit() and len(digits) <= 15
    if not usable or there + int(digits) > _LARGEST_BYTES:
        raise EngineError(
            f"{_host_of(answer)} announces no size that a model can have ({digits[:20]!r}): "
            "not fetched"
        )
    return there + int(digits)


def _receive(
    answer: http.client.HTTPResponse,
    part: Path,
    there: int,
    whole: int | None,
    progress: PullProgress,
) -> None:
    """Write ``answer`` into ``part`` from byte ``there`` on, and never beyond ``whole``."""
    most = _LARGEST_BYTES if whole is None else whole
    with part.open("r+b" if there else "wb") as file:
        file.seek(there)
        file.truncate()
        progress(there, whole)
        while block := answer.read(_BLOCK):
            if there + len(block) > most:
                raise EngineError(f"{answer.url} is longer than the {most} bytes it should have")
            file.write(block)
            there += len(block)
            progress(there, whole)
    if whole is not None and there < whole:
        raise EngineError(
            f"the connection to {_host_of(answer)} broke off at {there} of {whole} "
            "bytes: the same command goes on where this stopped"
        )


def _host_of(answer: http.client.HTTPResponse) -> str:
    return urlsplit(answer.url).hostname or "the server"
