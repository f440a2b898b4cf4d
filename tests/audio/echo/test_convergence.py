"""Changes of the echo path and of the reference's timing: no echo is sent for them."""

from collections.abc import Sequence

import numpy as np
import pytest

from live_cli.audio.echo.canceller import EchoCanceller, EchoState
from live_cli.audio.echo.delay_jump import DelayJump
from live_cli.audio.echo.filter import HOP_SAMPLES, EchoFilter, shifted
from live_cli.audio.pcm import Samples
from tests.harness.simulated_room import (
    BLOCK_MS,
    PLAYED_RATE,
    RATE,
    Room,
    echo_in,
    model_speech,
    noise,
    question,
    said_at,
    through,
)

SECONDS = 12.0
PER_BLOCK = RATE * BLOCK_MS // 1000
PLAYED_PER_BLOCK = PLAYED_RATE * BLOCK_MS // 1000

ROOMS = {
    "louder than a speaker's voice": Room(gain_db=4.0),
    "a clock of its own": Room(drift_ppm=100.0),
    "late": Room(delay_ms=400),
    "clipping": Room(clipped_dbfs=-16.0, reverberation_s=0.5),
}


@pytest.mark.parametrize("name", ROOMS)
def test_in_a_hard_room_nothing_of_the_echo_is_sent_and_a_question_is(name: str) -> None:
    played = model_speech(SECONDS, seed=62)
    heard = echo_in(ROOMS[name], played, seed=62)
    heard += noise(heard.size, seed=62) + said_at(heard.size, 11.3)
    canceller = EchoCanceller()
    _, states, _ = through(canceller, played, heard)
    asked = int(11.3 * 1000) // BLOCK_MS
    assert EchoState.OPEN not in states[:asked]
    assert EchoState.OPEN in states[asked : asked + 15]


def openings(states: list[EchoState]) -> int:
    before = [EchoState.RAW, *states[:-1]]
    return sum(
        now is EchoState.OPEN and was is not now for was, now in zip(before, states, strict=True)
    )


def test_of_twelve_jumps_at_most_one_opens_the_gate() -> None:
    opened = 0
    for seed in (61, 63, 65):
        played = model_speech(SECONDS, seed=seed)
        room = Room(jumps=((5.0, 60), (7.0, -40), (9.0, 25), (10.5, -60)))
        heard = echo_in(room, played, seed=seed)
        _, states, _ = through(EchoCanceller(), played, heard + noise(heard.size, seed=seed))
        opened += openings(states)
    assert opened <= 1


def test_over_a_jump_the_cancellation_lasts() -> None:
    played = model_speech(SECONDS, seed=62)
    canceller = EchoCanceller()
    heard = echo_in(Room(jumps=((8.0, 60),)), played, seed=62)
    sent, _, _ = through(canceller, played, heard + noise(heard.size, seed=62))
    assert canceller.stats.alignments == 1
    assert canceller.stats.converged
    assert canceller.stats.erle_db is not None
    assert canceller.stats.erle_db > 15
    assert not sent[int(2.5 * RATE) : -RATE].any()


@pytest.mark.parametrize("samples", [-2400, -640, -37, 160, 961, 2400])
def test_a_jump_is_found_to_the_sample(samples: int) -> None:
    predicted = question()
    jump = DelayJump()
    found = [
        jump.find()
        for at in range(0, predicted.size - HOP_SAMPLES, HOP_SAMPLES)
        for hop in (slice(at, at + HOP_SAMPLES),)
        if jump.note(shifted(predicted, samples)[hop], predicted[hop]) is None
    ]
    assert {lag for lag in found if lag} == {samples}


def test_speech_beside_the_echo_is_no_jump() -> None:
    predicted = echo_in(Room(), model_speech(6.0, seed=63), seed=63)
    heard = predicted + said_at(predicted.size, 2.5) + noise(predicted.size)
    jump = DelayJump()
    for at in range(0, predicted.size, HOP_SAMPLES):
        jump.note(heard[at : at + HOP_SAMPLES], predicted[at : at + HOP_SAMPLES])
        assert jump.find() == 0


@pytest.mark.parametrize("samples", [-320, -50, 50, 1000])
def test_a_shifted_filter_has_converged_at_once(samples: int) -> None:
    far = np.random.default_rng(3).standard_normal(4 * RATE).astype(np.float32) * 0.1
    near = shifted(far, 700) * np.float32(0.5)
    near[3 * RATE :] = shifted(near, samples)[3 * RATE :]
    echo_filter = EchoFilter()
    left = np.zeros_like(near)
    for at in range(0, far.size, HOP_SAMPLES):
        if at == 3 * RATE:
            echo_filter.shift(samples)
        hop = slice(at, at + HOP_SAMPLES)
        left[hop] = echo_filter.process(far[hop], near[hop])[0]
    after = slice(3 * RATE + HOP_SAMPLES, 3 * RATE + 1600 - max(0, -samples))
    assert np.mean(left[after] ** 2) < 0.01 * np.mean(near[after] ** 2)


def through_late(
    room: Room, late: Sequence[tuple[float, int]], *, paused: bool, seed: int
) -> tuple[EchoCanceller, list[EchoState], int]:
    """Run a canceller whose reference is late; returns it, its states, and the longest wait in ms.

    ``late``: from when (s) the reference comes how much later (ms), all of it at once; ``paused``:
    because the speaker played nothing meanwhile.
    """
    jumps = tuple(late) if paused else ()
    played = model_speech(SECONDS, seed=seed)
    heard = echo_in(Room(room.delay_ms, room.gain_db, jumps=jumps), played, seed=seed)
    heard += noise(heard.size, seed=seed)
    canceller = EchoCanceller()
    states, written, sent, most = [], 0, 0, 0
    for block in range(heard.size // PER_BLOCK):
        now_ms = (block + 1) * BLOCK_MS
        pause_ms = sum(ms for at, ms in jumps if at * 1000 < now_ms)
        silent = not paused and any(at * 1000 < now_ms <= at * 1000 + ms for at, ms in late)
        while not silent and (written + 1) * BLOCK_MS <= now_ms - pause_ms:
            canceller.play(_block(played, written, PLAYED_PER_BLOCK))
            written += 1
        sent += canceller.process(_block(heard, block, PER_BLOCK)).size
        states.append(canceller.state)
        most = max(most, (block + 1) * PER_BLOCK - sent)
    return canceller, states, most * 1000 // RATE


def _block(sound: Samples, number: int, size: int) -> Samples:
    return sound[number * size : (number + 1) * size]


@pytest.mark.parametrize(
    ("late", "paused", "most_alignments"),
    [
        (((6.0, 150), (8.0, 200), (10.0, 90)), False, 0),
        (((6.0, 300), (9.0, 300)), False, 4),
        (((5.0, 20), (6.0, 20), (7.0, 20), (8.0, 20)), True, 9),
    ],
    ids=["late", "very late", "short pauses"],
)
def test_a_speaker_that_is_late_or_pauses_costs_no_interruption(
    late: tuple[tuple[float, int], ...], paused: bool, most_alignments: int
) -> None:
    canceller, states, most_ms = through_late(Room(), late, paused=paused, seed=62)
    assert EchoState.OPEN not in states
    assert canceller.stats.alignments <= most_alignments
    assert canceller.stats.converged
    assert most_ms <= 1200


def test_of_eight_long_pauses_of_the_speaker_at_most_two_open_the_gate() -> None:
    opened = 0
    for seed in (61, 62, 63, 64):
        _, states, _ = through_late(Room(), ((6.0, 100), (9.0, 100)), paused=True, seed=seed)
        opened += openings(states)
    assert opened <= 2
