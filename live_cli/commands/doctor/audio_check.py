"""`live-cli doctor --audio`: a sweep and a hiss through the room, and which settings to change.

The devices are opened as `talk` opens them, so the findings hold for a conversation. Raises
DeviceError where there is no device, or one is lost meanwhile.
"""

import json
import shutil
import sys
from collections.abc import Iterator

import numpy as np

from live_cli.audio.sweep import (
    SweepReport,
    cancelled_db,
    levels_over_time,
    make_hiss,
    make_sweep,
    measure,
)
from live_cli.commands.doctor.findings import Finding, print_finding
from live_cli.devices.echo_probe import Probe, play_and_listen
from live_cli.devices.hands_free import hands_free_warning
from live_cli.devices.listing import find_device
from live_cli.sample_rates import OUTPUT_SAMPLE_RATE
from live_cli.settings.schema import Settings
from live_cli.streams import can_encode
from live_cli.ui import level_plot

LEVEL_STEP_S = 0.05
WIDEST_PICTURE = 72
GOOD_RATE = 48_000
NOISY_DBFS = -50.0
DEAD_DBFS = -90.0
"""Quieter than any room: the microphone is muted, or is none."""
QUIET_RETURN_DBFS = -65.0
CLIPPED_SAMPLES = 10
LONG_DELAY_MS = 500.0
"""Echo cancellers look no further back."""
LOUD_ECHO_DB = 0.0
WEAK_ERLE_DB = 6.0
"""Less is no convergence; `talk` shows the echo as learned from here on too."""
GAP_S = 1.1
"""Longer than any way through speaker, room and microphone."""
HISS_LEAD = OUTPUT_SAMPLE_RATE // 20
"""Samples of silence before the hiss that are measured with it."""


def run(settings: Settings, *, json: bool) -> None:
    """Announce the sound, play it and print the findings. Raises DeviceError."""
    talk = settings.talk
    find_device(talk.output_device, "output")
    find_device(talk.input_device, "input")
    note = "A rising tone and a hiss will be heard; please be quiet for six seconds."
    print(note, file=sys.stderr, flush=True)
    sweep = make_sweep()
    gap = np.zeros(round(GAP_S * OUTPUT_SAMPLE_RATE), dtype=np.float32)
    sound = np.concatenate((sweep, gap, make_hiss()))
    probe = play_and_listen(sound, talk.input_device, talk.output_device)
    captured, played = probe.stereo[:, 0], probe.stereo[:, 1]
    hiss = int(np.flatnonzero(played)[0]) + sweep.size + gap.size - HISS_LEAD
    report = measure(captured[:hiss], played[:hiss], OUTPUT_SAMPLE_RATE)
    erle_db = (
        cancelled_db(captured[hiss:], played[hiss:], OUTPUT_SAMPLE_RATE) if report.path else 0.0
    )
    for finding in findings(probe, report, erle_db):
        print_finding(finding, as_json=json)
    levels = {
        "speaker": levels_over_time(played, OUTPUT_SAMPLE_RATE, LEVEL_STEP_S),
        "microphone": levels_over_time(captured, OUTPUT_SAMPLE_RATE, LEVEL_STEP_S),
    }
    if json:
        _print_levels(levels)
    else:
        _draw(levels)


def findings(probe: Probe, report: SweepReport, erle_db: float) -> Iterator[Finding]:
    """Yield the findings about the sound, each with the setting to change where it is bad.

    ``erle_db``: how much quieter the echo canceller made the hiss that came back.
    """
    yield _device("microphone", probe)
    yield _device("speaker", probe)
    yield _noise(report)
    yield _level(report)
    yield _clipping(report)
    yield from _echo(probe, report, erle_db)
    yield _dropouts(probe)


def _device(role: str, probe: Probe) -> Finding:
    device = probe.microphone if role == "microphone" else probe.speaker
    facts = {"device": device.name, "host_api": device.host_api, "rate": device.default_rate}
    warning = hands_free_warning(role, device.name, device.default_rate, GOOD_RATE)
    says = warning or f"{device.name} ({device.host_api}), {device.default_rate} Hz"
    return Finding(role, says, hint=warning is not None, facts=facts)


def _noise(report: SweepReport) -> Finding:
    dbfs = report.noise_dbfs
    facts = {"noise_dbfs": round(dbfs, 1)}
    if _is_dead(report):
        says = (
            "the microphone gives digital silence: unmute it in the system's sound settings, or "
            "choose another with --input-device"
        )
        return Finding("background", says, hint=True, facts=facts)
    says = f"{dbfs:.0f} dBFS before the sweep"
    if dbfs > NOISY_DBFS:
        says += (
            ", which may be taken for speech: set --start-sensitivity low, or come closer to "
            "another microphone (--input-device)"
        )
    return Finding("background", says, hint=dbfs > NOISY_DBFS, facts=facts)


def _is_dead(report: SweepReport) -> bool:
    return report.path is None and report.noise_dbfs <= DEAD_DBFS


def _level(report: SweepReport) -> Finding:
    facts = {
        "played_dbfs": round(report.played_dbfs, 1),
        "level_dbfs": round(report.level_dbfs, 1),
        "peak": round(report.peak, 4),
    }
    says = f"played at {report.played_dbfs:.0f} dBFS, the microphone at {report.level_dbfs:.0f}"
    return Finding("level", f"{says} dBFS meanwhile", facts=facts)


def _clipping(report: SweepReport) -> Finding:
    facts = {"clipped_samples": report.clipped_samples}
    if report.clipped_samples < CLIPPED_SAMPLES:
        return Finding("clipping", "none", facts=facts)
    says = (
        f"{report.clipped_samples} samples at full scale: turn the microphone's gain down in the "
        "system's sound settings, or the speaker"
    )
    return Finding("clipping", says, hint=True, facts=facts)


def _echo(probe: Probe, report: SweepReport, erle_db: float) -> Iterator[Finding]:
    if report.path is None:
        hidden = report.hidden_below_db
        says = f"no echo path found (any is more than {hidden:.0f} dB down), as with headphones"
        if _is_dead(report):
            says = "no echo path found, but the microphone is silent: it would not hear one"
        facts: dict[str, object] = {"loss_db": None, "hidden_below_db": round(hidden, 1)}
        yield Finding("echo", says, facts=facts)
        return
    loss_db, delay_ms = report.path.loss_db, report.path.delay_ms
    says = f"the sweep comes back {_quieter(loss_db)}"
    too_loud = loss_db < LOUD_ECHO_DB
    if too_loud:
        says += ": turn the speaker down, or move the microphone away from it"
    yield Finding("echo", says, hint=too_loud, facts={"loss_db": round(loss_db, 1)})
    yield _cancelled(loss_db, erle_db, audible=report.level_dbfs > QUIET_RETURN_DBFS)
    yield _delay(probe, delay_ms)


def _cancelled(loss_db: float, erle_db: float, *, audible: bool) -> Finding:
    facts = {"erle_db": round(erle_db, 1), "loss_after_db": round(loss_db + erle_db, 1)}
    says = f"{max(0.0, erle_db):.1f} dB quieter than before it"
    weak = audible and erle_db < WEAK_ERLE_DB
    if weak:
        says += (
            ": measure again, and if it stays so the model may hear itself; use headphones, "
            "--half-duplex or --push-to-talk"
        )
    return Finding("echo after cancellation", says, hint=weak, facts=facts)


def _quieter(loss_db: float) -> str:
    if loss_db < 0:
        return f"{-loss_db:.1f} dB louder than it was played"
    return f"{loss_db:.1f} dB quieter than it was played"


def _delay(probe: Probe, delay_ms: float) -> Finding:
    speaker_ms, microphone_ms = probe.speaker_buffer_ms, probe.microphone_buffer_ms
    round_trip_ms = speaker_ms + delay_ms + microphone_ms
    facts = {
        "round_trip_ms": round(round_trip_ms, 1),
        "path_ms": round(delay_ms, 1),
        "speaker_buffer_ms": round(speaker_ms, 1),
        "microphone_buffer_ms": round(microphone_ms, 1),
    }
    says = (
        f"{round_trip_ms:.0f} ms there and back: {speaker_ms:.0f} in the speaker's buffer, "
        f"{delay_ms:.0f} between speaker and microphone, {microphone_ms:.0f} in its buffer"
    )
    late = delay_ms > LONG_DELAY_MS
    if late:
        says += "; so much a wireless speaker takes: choose another with --output-device"
    return Finding("delay", says, hint=late, facts=facts)


def _dropouts(probe: Probe) -> Finding:
    facts = {"dropouts": probe.dropouts}
    if not probe.dropouts:
        return Finding("dropouts", "none", facts=facts)
    says = f"sound was lost {probe.dropouts} times: close what keeps the machine busy"
    return Finding("dropouts", says, hint=True, facts=facts)


# --- the picture ---------------------------------------------------------------------------------


def _print_levels(levels: dict[str, list[float]]) -> None:
    rounded = {f"{who}_dbfs": [round(level, 1) for level in row] for who, row in levels.items()}
    print(json.dumps({"name": "levels", "step_s": LEVEL_STEP_S, **rounded}))


def _draw(levels: dict[str, list[float]]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    blocks = can_encode(console.encoding, level_plot.BLOCK_STEPS)
    steps = level_plot.BLOCK_STEPS if blocks else level_plot.ASCII_STEPS
    columns = min(WIDEST_PICTURE, shutil.get_terminal_size().columns - 10)
    styles = {"speaker": "cyan", "microphone": "green"}
    for who, row in levels.items():
        seconds = len(row) * LEVEL_STEP_S
        console.print(Text(f"{who}, {seconds:.1f} s", style="bold"))
        rows = level_plot.level_rows(row, max(10, columns), steps=steps)
        for label, cells in zip(level_plot.scale_labels(), rows, strict=True):
            console.print(Text.assemble((f"{label} ", "dim"), (cells, styles[who])), soft_wrap=True)
