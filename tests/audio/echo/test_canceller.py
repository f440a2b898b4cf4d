"""Echo cancellation, in rooms of known delay and loss."""

import numpy as np
import pytest

from live_cli.audio.echo.canceller import EchoCanceller, EchoState
from live_cli.audio.echo.filter import HOP_SAMPLES, EchoFilter
from live_cli.audio.echo.gate import EchoGate
from live_cli.audio.echo.half_duplex import HalfDuplex
from tests.harness.simulated_room import (
    BLOCK_MS,
    PLAYED_RATE,
    RATE,
    echo_of,
    model_speech,
    noise,
    question,
    said_at,
    through,
)

BLOCKS_PER_S = 1000 // BLOCK_MS


def energy_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(sound.astype(np.float64) ** 2) + 1e-12))


def test_the_filter_leaves_a_hundredth_of_an_echo_it_knows() -> None:
    rng = np.random.default_rng(1)
    far = rng.standard_normal(4 * RATE).astype(np.float32) * 0.1
    near = np.convolve(far, [0.0] * 700 + [0.5, 0.2, -0.1])[: far.size].astype(np.float32)
    echo_filter = EchoFilter()
    hops = [
        echo_filter.process(far[at : at + HOP_SAMPLES], near[at : at + HOP_SAMPLES])[0]
        for at in range(0, far.size, HOP_SAMPLES)
    ]
    last = slice(-RATE // HOP_SAMPLES, None)
    left = np.concatenate(hops[last])
    assert energy_db(near[-RATE:]) - energy_db(left) > 20


@pytest.mark.parametrize(("delay_ms", "gain_db"), [(30, -6), (250, -12)])
def test_of_echo_alone_only_silence_is_sent(delay_ms: int, gain_db: float) -> None:
    played = model_speech(12.0, seed=delay_ms)
    echo = echo_of(played, delay_ms, gain_db)
    canceller = EchoCanceller()
    sent, states, _ = through(canceller, played, echo + noise(echo.size))
    assert EchoState.OPEN not in states
    assert np.abs(sent[int(2.5 * RATE) :]).max() < 0.01
    assert canceller.stats.converged
    assert canceller.stats.erle_db is not None
    assert canceller.stats.erle_db > 8


def test_a_question_over_the_model_is_sent_whole_and_soon() -> None:
    played = model_speech(12.0, seed=5)
    echo = echo_of(played, 80, -6)
    words = said_at(echo.size, 6.0)
    sent, states, counts = through(EchoCanceller(), played, echo + words + noise(echo.size))
    opened = next(i for i, s in enumerate(states) if s is EchoState.OPEN)
    assert 0 <= opened / BLOCKS_PER_S - 6.0 < 0.35
    # what was held is sent with the opening: the stream is the microphone's, sample for sample
    assert counts[opened] == (opened + 1) * RATE * BLOCK_MS // 1000
    asked = slice(6 * RATE, 6 * RATE + question().size)
    assert energy_db(words[asked]) - energy_db(sent[asked] - words[asked]) > 6


def test_with_headphones_the_microphone_goes_out_as_it_is() -> None:
    played = model_speech(8.0, seed=3)
    heard = noise(8 * RATE, -70) + said_at(8 * RATE, 5.0)
    canceller = EchoCanceller()
    sent, states, counts = through(canceller, played, heard)
    assert states[-1] is EchoState.RAW
    assert counts[-1] == heard.size
    assert np.array_equal(sent[5 * RATE :], heard[5 * RATE :])
    assert canceller.stats.erle_db is None


@pytest.mark.parametrize("begins_s", [1.9, 2.0, 2.3, 2.6])
@pytest.mark.parametrize("seed", [3, 74, 75, 76])
def test_with_headphones_a_question_over_the_first_answer_is_sent_whole(
    begins_s: float, seed: int
) -> None:
    played = model_speech(5.0, seed=seed)
    heard = said_at(5 * RATE, begins_s) + noise(5 * RATE, -60, seed=seed)
    sent, states, _ = through(EchoCanceller(), played, heard)
    asked = slice(int(begins_s * RATE), int(begins_s * RATE) + question().size)
    assert np.array_equal(sent[asked], heard[asked])
    assert EchoState.RAW in states[round((begins_s + 0.3) * BLOCKS_PER_S) :][:10]


@pytest.mark.parametrize("seed", [3, 5])
def test_an_echo_that_begins_when_the_headphones_go_is_found_and_sent_as_silence(seed: int) -> None:
    played = model_speech(14.0, seed=seed)
    echo = echo_of(played, 80, -6)
    echo[: 6 * RATE] = 0
    canceller = EchoCanceller()
    sent, states, _ = through(canceller, played, echo + noise(echo.size, -65))
    assert set(states[4 * BLOCKS_PER_S : 6 * BLOCKS_PER_S]) == {EchoState.RAW}
    assert set(states[12 * BLOCKS_PER_S :]) == {EchoState.SHUT}
    assert not sent[12 * RATE :].any()
    assert canceller.stats.converged


def test_without_playback_nothing_is_touched_or_late() -> None:
    heard = said_at(3 * RATE, 1.0) + noise(3 * RATE)
    sent, states, _ = through(EchoCanceller(), np.zeros(3 * PLAYED_RATE, np.float32), heard)
    assert set(states) == {EchoState.RAW}
    assert np.array_equal(sent, heard)


def test_an_ungated_microphone_holds_nothing_back() -> None:
    played = model_speech(5.0, seed=2)
    echo = echo_of(played, 80, -6)
    _, states, counts = through(EchoCanceller(gated=False), played, echo)
    assert EchoState.SHUT not in states
    assert counts == [(i + 1) * RATE * BLOCK_MS // 1000 for i in range(len(counts))]


def test_the_gate_loses_and_repeats_nothing() -> None:
    gate = EchoGate()
    sent: list[np.ndarray] = []
    for at in range(200):
        hop = np.full(HOP_SAMPLES, at, dtype=np.float32)
        sent += gate.hop(hop, speech=100 <= at < 110, known=not 25 <= at < 75)
    numbers = [int(hop[0]) for hop in [*sent, *gate.release()]]
    assert len(numbers) == 200
    assert numbers[75:149] == list(range(75, 149))
    assert set(numbers[1:75]) == {0}


def test_half_duplex_is_silence_while_the_speaker_sounds_and_a_while_after() -> None:
    half = HalfDuplex()
    heard = np.full(RATE // 50, 0.1, dtype=np.float32)
    assert np.array_equal(half.process(heard), heard)
    half.play(np.full(480, 0.2, dtype=np.float32))
    out = np.concatenate([half.process(heard) for _ in range(50)])
    assert not out[: RATE // 2].any()
    assert out[int(0.7 * RATE) :].all()
