"""Where transcribers are found: pulled, inside packages, by name; and what is not whole."""

import hashlib

import pytest

from live_cli.engine.backends.table import Stage
from live_cli.engine.speech_models import lookup
from live_cli.engine.speech_models.catalog import SPEECH_MODELS, WHISPER_BASE
from live_cli.errors import EngineError


def test_the_packaged_model_is_the_public_one():
    """Its parts joined have the hash that public sources give of Systran's model."""
    model = lookup.packaged_whisper()
    for name, pinned in SPEECH_MODELS[WHISPER_BASE].files.items():
        data = b"".join(part.read_bytes() for part in model.files[name])
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


def test_half_a_package_is_none(monkeypatch):
    there = lookup._data_folder
    monkeypatch.setattr(
        lookup, "_data_folder", lambda name: None if name.endswith("2") else there(name)
    )
    assert lookup.packaged_whisper() is None


def test_every_model_has_what_its_stage_needs():
    for model in SPEECH_MODELS.values():
        assert all(file.url.startswith("https://") for file in model.files.values())
        assert all(f"/{name}" in file.url for name, file in model.files.items())
        if model.stage is Stage.TRANSCRIBER:
            assert {"model.bin", "config.json", "tokenizer.json"} <= set(model.files)
