"""The real microphone and speaker code, through PortAudio, on the virtual sound card."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.devices.child import SETTLED_FRAMES
from tests.harness.virtual_audio import VirtualAudio

CHILD = Path(__file__).with_name("child.py")


class Child:
    """A process that uses the devices."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def facts(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        facts: dict[str, Any] = json.loads(line)
        return facts

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def rest_of_stderr(self) -> str:
        _, stderr = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, stderr
        return stderr


@contextmanager
def child(card: VirtualAudio, act: str, *arguments: str, pinned: bool = True) -> Iterator[Child]:
    """``pinned`` to the card's first devices, whatever the default is."""
    env = card.full_env()
    if not pinned:
        del env["PULSE_SINK"], env["PULSE_SOURCE"]
    with subprocess.Popen(
        [sys.executable, str(CHILD), act, *arguments],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Child(process)
        finally:
            process.kill()


def tone_share(sound: np.ndarray, rate: int, frequency: float) -> float:
    """Of the sound's energy, the part within 30 Hz of ``frequency``."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size))) ** 2
    frequencies = np.fft.rfftfreq(sound.size, 1 / rate)
    near = np.abs(frequencies - frequency) < 30
    return float(spectrum[near].sum() / max(spectrum.sum(), 1e-12))


def sounding(sound: np.ndarray, rate: int) -> np.ndarray:
    """Whether each 10 ms window has sound in it."""
    window = rate // 100
    windows = sound[: sound.size - sound.size % window].reshape(-1, window)
    return np.sqrt((windows**2).mean(axis=1)) > 0.01


def heard(path: Path) -> tuple[np.ndarray, int]:
    sound, rate = soundfile.read(path, dtype="float32")
    return sound, rate


def test_lists_the_devices(virtual_audio: VirtualAudio) -> None:
    with child(virtual_audio, "listing") as listing:
        devices = listing.facts()["devices"]
        assert listing.rest_of_stderr() == ""
    names = [name for name, *_ in devices]
    assert "pulse" in names
    assert any(is_default for *_, is_default in devices)
    assert all(inputs and outputs for _, inputs, outputs, _ in devices)


def test_what_is_fed_into_the_microphone_arrives(
    virtual_audio: VirtualAudio, tmp_path: Path
) -> None:
    t = np.arange(2 * 48_000) / 48_000
    soundfile.write(tmp_path / "tone.wav", 0.4 * np.sin(2 * np.pi * 700 * t), 48_000)
    with child(virtual_audio, "capture", str(tmp_path / "heard.raw")) as capture:
        assert capture.facts()["ready"]
        virtual_audio.feed(tmp_path / "tone.wav")
        capture.go_on()
        facts = capture.facts()
        assert capture.rest_of_stderr() == ""
    assert facts["sizes"] == [640]  # 20 ms of PCM16 at 16 kHz, always
    assert (facts["dropped"], facts["late_frames"], facts["lost"]) == (0, 0, None)
    assert facts["loudest"] == pytest.approx(-11, abs=1)
    frames = (tmp_path / "heard.raw").stat().st_size // 640
    settled = frames - 1 - SETTLED_FRAMES
    # the card's own times wander by two frames
    assert facts["span_s"] == pytest.approx(settled * 0.02, abs=0.06)
    # what has been heard is told after it was heard, and soon: by then half a second is old
    assert facts["ages_s"][0] > 0
    assert facts["ages_s"][frames // 2] < 0.5
    sound = np.fromfile(tmp_path / "heard.raw", dtype="<i2").astype(np.float32) / 32768
    active = sounding(sound, 16_000)
    assert np.count_nonzero(active) >= 180  # of 200 windows
    begin = int(np.flatnonzero(active)[0]) * 160
    assert tone_share(sound[begin : begin + 16_000], 16_000, 700) > 0.9


@pytest.mark.parametrize("rate", [0, 44_100, 48_000], ids=["own rate", "44.1 kHz", "48 kHz"])
def test_what_is_played_is_heard(virtual_audio: VirtualAudio, tmp_path: Path, rate: int) -> None:
    with (
        virtual_audio.recording(tmp_path / "heard.wav"),
        child(virtual_audio, "play", "2.0", str(rate)) as play,
    ):
        facts = play.facts()
        play.rest_of_stderr()
    assert not facts["was_idle"]
    assert facts["buffered_ms"] == pytest.approx(2000, abs=150)
    assert facts["loudest"] == pytest.approx(-11, abs=1)
    assert facts["rises"]
    assert facts["turn"] == 1
    assert facts["heard_ms"] == facts["after_stop"] == 2000
    assert facts["underruns"] == 0
    sound, sample_rate = heard(tmp_path / "heard.wav")
    assert np.count_nonzero(sounding(sound, sample_rate)) == pytest.approx(200, abs=30)
    begin = int(np.flatnonzero(sounding(sound, sample_rate))[0]) * sample_rate // 100
    assert tone_share(sound[begin : begin + sample_rate], sample_rate, 440) > 0.9


def test_interrupt_silences_and_the_next_turn_plays(
    virtual_audio: VirtualAudio, tmp_path: Path
) -> None:
    with (
        virtual_audio.recording(tmp_path / "heard.wav"),
        child(virtual_audio, "interrupt") as interrupt,
    ):
        facts = interrupt.facts()
        interrupt.rest_of_stderr()
    # what was heard of ten seconds: what was on its way to the device, and the fade
    assert facts["before"] <= facts["heard_ms"] <= facts["before"] + 2000
    assert (facts["buffered_ms"], facts["refused"]) == (0, 1)
    assert (facts["turn"], facts["second_ms"]) == (2, 500)
    sound, rate = heard(tmp_path / "heard.wav")
    active = sounding(sound, rate)
    begin = int(np.flatnonzero(active)[0])
    first = active[begin : begin + int(facts["heard_ms"] / 10) + 50]
    assert np.count_nonzero(first) * 10 == pytest.approx(facts["heard_ms"], rel=0.2)
    second = sound[(begin + first.size) * rate // 100 :]
    assert np.count_nonzero(sounding(second, rate)) * 10 == pytest.approx(500, rel=0.2)
    assert tone_share(second, rate, 1000) > 0.9  # nothing of the first turn came back


def test_the_default_device_follows_the_system_s(virtual_audio: VirtualAudio) -> None:
    with child(virtual_audio, "play", "3.0", "0", pinned=False) as play:
        pid = play.process.pid
        assert within_seconds(lambda: virtual_audio.speaker_of(pid) == "speaker")
        virtual_audio.add_default_speaker("headset")
        assert within_seconds(lambda: virtual_audio.speaker_of(pid) == "headset")
        facts = play.facts()
        play.rest_of_stderr()
    assert (facts["heard_ms"], facts["underruns"]) == (3000, 0)


def within_seconds(happens: Callable[[], bool], limit_s: float = 10.0) -> bool:
    end = time.monotonic() + limit_s
    while not happens():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_from_the_interruption_to_silence_without_a_click(
    virtual_audio: VirtualAudio, tmp_path: Path
) -> None:
    """Both at the speaker's monitor: what was heard at the interruption, and where it ended."""
    with (
        virtual_audio.recording(tmp_path / "heard.wav"),
        child(virtual_audio, "cut", "6") as cut,
    ):
        facts = cut.facts()
        cut.rest_of_stderr()
    assert facts["underruns"] == 0
    sound, rate = heard(tmp_path / "heard.wav")
    turns = sounds_between_silences(sound, rate)
    assert len(turns) == 6
    silent_after_ms = []
    for turn, interrupted_at in zip(turns, facts["interrupted_at"], strict=True):
        silent_after_ms.append((turn[1] - turn[0]) * 1000 / rate - interrupted_at)
        cut_out = sound[turn[1] - rate // 20 : turn[1] + rate // 20]
        assert energy_above_4_khz_db(cut_out, rate) <= -60
    assert np.median(silent_after_ms) <= facts["bound_ms"]
    # on a busy machine a callback may come a block late
    assert max(silent_after_ms) <= facts["bound_ms"] + facts["block_ms"]


def sounds_between_silences(sound: np.ndarray, rate: int) -> list[tuple[int, int]]:
    """Begin and end of each run of sound; 100 ms of digital silence separate them."""
    loud = np.flatnonzero(np.abs(sound) > 1.5 / 32768)
    breaks = np.flatnonzero(np.diff(loud) > rate // 10)
    begins = [loud[0], *loud[breaks + 1]]
    ends = [*loud[breaks], loud[-1]]
    return [(int(begin), int(end)) for begin, end in zip(begins, ends, strict=True)]


def energy_above_4_khz_db(sound: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size))) ** 2
    high = np.fft.rfftfreq(sound.size, 1 / rate) > 4000
    return float(10 * np.log10(spectrum[high].sum() / spectrum.sum()))


@pytest.mark.parametrize("how", ["unplug", "kill", "suspend"])
def test_a_lost_device_is_told(virtual_audio: VirtualAudio, how: str) -> None:
    with child(virtual_audio, "lose") as lose:
        assert lose.facts()["ready"]
        match how:
            case "unplug":
                virtual_audio.unplug("speaker")
                virtual_audio.unplug("mic")
            case "kill":
                virtual_audio.kill()
            case "suspend":
                virtual_audio.suspend("speaker")
                virtual_audio.suspend("mic")
        lose.go_on()
        facts = lose.facts()
        stderr = lose.rest_of_stderr()
    assert len(facts["told"]["speaker"]) == len(facts["told"]["mic"]) == 1
    assert "speaker" in facts["told"]["speaker"][0]
    assert facts["idle"]
    assert 300 < facts["heard_ms"] < 30_000
    assert stderr == ""  # what ALSA and PortAudio have to say does not reach the screen


def test_the_answer_goes_on_where_it_stopped_when_the_speaker_is_back(
    virtual_audio: VirtualAudio,
) -> None:
    with child(virtual_audio, "keep") as keep:
        assert 500 < keep.facts()["heard_ms"] < 4000
        virtual_audio.unplug("speaker")
        virtual_audio.unplug("mic")
        away = keep.facts()
        virtual_audio.replug("mic")
        virtual_audio.replug("speaker")
        facts = keep.facts()
        stderr = keep.rest_of_stderr()
    assert away["heard_ms"] == away["later_ms"] < 4000
    assert away["idle"]
    assert facts["heard_ms"] == 4000
    assert facts["underruns"] == 0
    assert sorted(facts["changes"][:4]) == [
        ["microphone", "lost"],
        ["microphone", "open"],
        ["speaker", "lost"],
        ["speaker", "open"],
    ]
    assert sorted(facts["changes"][4:]) == [["microphone", "back"], ["speaker", "back"]]
    assert facts["missed_frames"] >= 50  # the second without
    assert facts["frames_after"] >= 50
    assert stderr == ""


@pytest.mark.parametrize("kind", ["input", "output"])
@pytest.mark.parametrize(
    ("device", "says"),
    [
        ("99", "no sound device number 99"),
        ("puls", None),  # part of the name
        ("pulze", 'Did you mean "pulse"'),
        ("gramophone", 'called "gramophone"'),
    ],
)
def test_a_device_that_is_not_there_is_named(
    virtual_audio: VirtualAudio, kind: str, device: str, says: str | None
) -> None:
    with child(virtual_audio, "refuse", kind, device) as refuse:
        facts = refuse.facts()
        stderr = refuse.rest_of_stderr()
    if says is None:
        assert facts["error"] is None
        return
    assert says in facts["error"]
    assert "live-cli devices" in facts["error"]
    assert "\n" not in facts["error"]
    assert facts["exit_code"] == 5
    assert stderr == "stderr is back\n"


@pytest.mark.parametrize(("kind", "role"), [("input", "microphone"), ("output", "speaker")])
def test_an_unplugged_device_cannot_be_opened(
    virtual_audio: VirtualAudio, kind: str, role: str
) -> None:
    virtual_audio.unplug("mic" if kind == "input" else "speaker")
    with child(virtual_audio, "refuse", kind, "") as refuse:
        facts = refuse.facts()
        stderr = refuse.rest_of_stderr()
    assert role in facts["error"]
    assert "live-cli devices" in facts["error"]
    assert facts["exit_code"] == 5
    assert stderr == "stderr is back\n"


@pytest.mark.parametrize("kind", ["input", "output"])
def test_without_a_sound_server_there_is_no_device(sound_folder: Path, kind: str) -> None:
    card = VirtualAudio(sound_folder)
    card.prepare()
    with child(card, "refuse", kind, "") as refuse:
        facts = refuse.facts()
        stderr = refuse.rest_of_stderr()
    assert facts["error"].startswith("No ")
    assert f"--{kind}" in facts["error"]
    assert facts["exit_code"] == 5
    assert stderr == "stderr is back\n"
