"""Smart Turn on real speech, and the features that it hears beside those of its own package."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_cli.engine.backends.turn import model_file
from live_cli.engine.backends.turn.log_mel import BANDS, log_mel
from live_cli.engine.backends.turn.model_file import bundled_file
from live_cli.engine.backends.turn.smart_turn import SmartTurnDetector
from live_cli.engine.registry import Registry
from live_cli.engine.stages import StageNames
from live_cli.errors import EngineError
from tests.harness.speech import QUESTION

RATE = 16_000


def question():
    return soundfile.read(QUESTION, dtype="float32")[0].astype(np.float32)


def peer_features(samples):
    spec = importlib.util.spec_from_file_location(
        "peer", Path(bundled_file()).parents[1] / "_whisper_features.py"
    )
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    return peer.compute_whisper_log_mel_features(samples, do_normalize=True)


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.resize(question(), 8 * RATE), id="speech"),
        pytest.param(np.pad(question()[:RATE], (7 * RATE, 0)), id="speech after silence"),
        pytest.param(np.zeros(8 * RATE, np.float32), id="silence"),
        pytest.param(
            np.random.default_rng(1).standard_normal(8 * RATE).astype(np.float32), id="noise"
        ),
    ],
)
def test_the_features_are_those_of_the_models_own_package(samples):
    ours = log_mel(samples)
    assert ours.shape == (BANDS, 800)
    np.testing.assert_allclose(ours, peer_features(samples), atol=1e-4)


def test_a_whole_question_is_over_and_its_beginning_is_not():
    detector, whole = SmartTurnDetector(), question()
    assert detector.probability(whole) > 0.95
    assert detector.probability(whole[: int(0.5 * len(whole))]) < 0.5


def test_only_the_last_eight_seconds_count():
    detector, whole = SmartTurnDetector(), question()
    last = np.resize(whole[::-1], 8 * RATE)
    longer = np.concatenate([whole, last]).astype(np.float32)
    assert detector.probability(longer) == pytest.approx(detector.probability(last), abs=1e-5)


def test_without_its_package_silence_ends_a_turn_and_the_log_says_so(monkeypatch, caplog):
    monkeypatch.setattr(model_file, "package_folder", lambda name: None)
    registry = Registry(StageNames(end_of_turn="semantic"))
    assert not registry.ends_turns_by_sense
    assert "silence ends a turn: pip install" in caplog.text
    with pytest.raises(EngineError, match="not installed: pip install --no-deps pipecat-ai"):
        SmartTurnDetector()
