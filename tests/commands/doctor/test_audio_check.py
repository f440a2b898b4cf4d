"""`live-cli doctor --audio`: what is said of each finding, and on a sound card with an echo."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_cli.audio.sweep import EchoMeasurement, SweepReport
from live_cli.commands.doctor.audio_check import findings
from live_cli.devices.echo_probe import Probe
from live_cli.devices.listing import SoundDevice
from tests.harness.command import json_lines, live_cli
from tests.harness.talking import sound
from tests.harness.virtual_audio import VirtualAudio

MICROPHONE = SoundDevice(0, "Desk mic", "ALSA", 1, 0, 48_000)
SPEAKER = SoundDevice(1, "Box", "ALSA", 0, 2, 44_100)


def said(
    path: EchoMeasurement | None = None,
    *,
    microphone: SoundDevice = MICROPHONE,
    dropouts: int = 0,
    noise_dbfs: float = -65.0,
    level_dbfs: float = -40.0,
    clipped_samples: int = 0,
    erle_db: float = 15.0,
) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """name -> (state, says, facts)."""
    stereo = np.zeros((0, 2), dtype=np.float32)
    probe = Probe(stereo, microphone, SPEAKER, 60.0, 35.0, dropouts)
    report = SweepReport(-20.0, noise_dbfs, level_dbfs, 0.1, clipped_samples, 45.0, path)
    return {
        found.name: (found.state, found.says, dict(found.facts))
        for found in findings(probe, report, erle_db)
    }


def test_a_good_room_with_headphones_has_nothing_to_change() -> None:
    found = said()
    assert {state for state, *_ in found.values()} == {"ok"}
    assert found["microphone"][1] == "Desk mic (ALSA), 48000 Hz"
    assert found["echo"][1] == (
        "no echo path found (any is more than 45 dB down), as with headphones"
    )
    assert "delay" not in found


@pytest.mark.parametrize(
    ("loss_db", "level_dbfs", "state", "says"),
    [
        (6.04, -26, "ok", ["6.0 dB quieter"]),
        (-4.0, -16, "note", ["4.0 dB louder", "turn the speaker down"]),
        (50.0, -70, "ok", ["50.0 dB quieter"]),
    ],
)
def test_an_echo_that_is_heard_says_what_to_do(
    loss_db: float, level_dbfs: float, state: str, says: list[str]
) -> None:
    found = said(EchoMeasurement(80.0, loss_db), level_dbfs=level_dbfs)
    assert found["echo"][0] == state
    assert [part for part in says if part not in found["echo"][1]] == []


@pytest.mark.parametrize(
    ("erle_db", "level_dbfs", "state"), [(15.0, -26, "ok"), (3.0, -26, "note"), (-2.0, -70, "ok")]
)
def test_what_the_canceller_cannot_take_out_says_what_to_do(
    erle_db: float, level_dbfs: float, state: str
) -> None:
    path = EchoMeasurement(80.0, 6.0)
    got, says, facts = said(path, level_dbfs=level_dbfs, erle_db=erle_db)["echo after cancellation"]
    assert got == state
    assert ("--half-duplex" in says) is (state == "note")
    assert facts["loss_after_db"] == pytest.approx(6.0 + erle_db)


def test_the_delay_has_its_parts_and_a_long_one_is_noted() -> None:
    state, says, facts = said(EchoMeasurement(80.0, 10.0))["delay"]
    assert state == "ok"
    assert says.startswith("175 ms there and back: 60 in the speaker's buffer, 80 between")
    assert facts["round_trip_ms"] == 175
    state, says, _ = said(EchoMeasurement(620.0, 10.0))["delay"]
    assert state == "note"
    assert "--output-device" in says


@pytest.mark.parametrize(
    ("bad", "name", "says"),
    [
        ({"noise_dbfs": -35.0}, "background", "--start-sensitivity low"),
        ({"noise_dbfs": -100.0}, "background", "--input-device"),
        ({"noise_dbfs": -100.0}, "echo", "would not hear one"),
        ({"clipped_samples": 300}, "clipping", "300 samples"),
        ({"dropouts": 3}, "dropouts", "3 times"),
        ({"microphone": SoundDevice(0, "Buds", "ALSA", 1, 0, 16_000)}, "microphone", "16 kHz"),
    ],
)
def test_each_bad_finding_says_what_to_change(bad: dict[str, Any], name: str, says: str) -> None:
    state, text, _ = said(**bad)[name]
    assert says in text
    assert "\n" not in text
    assert state == "note" or name == "echo"


def doctor(card: VirtualAudio, home: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    return live_cli("doctor", "--audio", *args, home=home, env=sound(card))


def test_an_echo_on_the_card_is_measured(virtual_audio: VirtualAudio, tmp_path: Path) -> None:
    virtual_audio.connect_echo(80, -6)
    done = doctor(virtual_audio, tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr.decode().count("\n") == 1  # that a sound will be heard, and no chatter
    rows = {row["name"]: row for row in json_lines(done.stdout)}
    assert rows["echo"]["loss_db"] == pytest.approx(6, abs=1.5)
    # the card's own way back wanders by 25 ms around what it is told
    assert rows["delay"]["path_ms"] == pytest.approx(80, abs=40)
    assert rows["level"]["played_dbfs"] == pytest.approx(-20, abs=0.5)
    assert rows["level"]["level_dbfs"] == pytest.approx(-26, abs=1.5)
    assert rows["clipping"]["clipped_samples"] == 0
    levels = rows["levels"]
    assert len(levels["speaker_dbfs"]) == len(levels["microphone_dbfs"])
    assert max(levels["microphone_dbfs"]) == pytest.approx(-26, abs=2)


def test_the_echo_on_the_card_is_cancelled(virtual_audio: VirtualAudio, tmp_path: Path) -> None:
    virtual_audio.connect_echo(80, -6)
    best = -1.0
    for _ in range(4):  # the card's loopback jumps now and then, and the filter learns anew
        rows = json_lines(doctor(virtual_audio, tmp_path, "--json").stdout)
        [found] = [row for row in rows if row["name"] == "echo after cancellation"]
        best = max(best, found["erle_db"])
        if best > 10:
            break
    assert best > 10


def test_without_an_echo_it_says_so_and_draws(virtual_audio: VirtualAudio, tmp_path: Path) -> None:
    done = doctor(virtual_audio, tmp_path)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert "no echo path found" in shown
    speaker, microphone = shown.split("speaker, ")[1].split("microphone, ")
    assert "█" in speaker
    assert "█" not in microphone
    assert "\x1b" not in shown


def test_without_a_device_there_is_nothing_to_measure(tmp_path: Path, sound_folder: Path) -> None:
    card = VirtualAudio(sound_folder)
    card.prepare()
    done = doctor(card, tmp_path, "--json")
    assert done.returncode == 5
    assert done.stdout == b""
    assert done.stderr.decode().startswith("live-cli: No speaker was found")


def test_help_names_it(tmp_path: Path) -> None:
    shown = live_cli("doctor", "--help", home=tmp_path).stdout.decode()
    assert all(option in shown for option in ("--audio", "--input-device", "--output-device"))
