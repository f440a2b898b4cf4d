"""`live-cli doctor`: each finding is in order or says how to fix it; against real sockets."""

import json
import os
import socket

import pytest

from live_cli.audio.noise import denoiser
from live_cli.commands.doctor import command as doctor
from live_cli.devices.listing import SoundDevice
from live_cli.engine.backends.turn import model_file
from live_cli.errors import ConnectError, DeviceError, EngineError, SettingsError
from live_cli.plan import server as server_choice
from live_cli.settings.load import load


@pytest.fixture(autouse=True)
def _sound(monkeypatch):
    """A machine with one microphone and no speaker, and no proxy."""

    def find(wanted, kind):
        if kind == "output":
            raise DeviceError("No speaker was found: plug one in.")
        return SoundDevice(0, "Mic", "ALSA", 1, 0, 44_100)

    monkeypatch.setattr("live_cli.devices.listing.find_device", find)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def settings(**env):
    return load(environ={"LIVE_CLI_CONFIG": os.devnull, **env})


def found(**env) -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.findings(settings(**env))}


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_listens_is_reached(port):
    server = found(LIVE_CLI_SERVER=f"ws://127.0.0.1:{port}")["server"]
    assert server.state == "ok"
    assert str(port) in server.says


def test_a_server_that_does_not_is_a_failure_with_the_reason(port, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    failure = found(LIVE_CLI_SERVER=f"ws://127.0.0.1:{closed}")["server"].failure
    assert isinstance(failure, ConnectError)
    assert "refused" in str(failure)
    # one that accepts but never speaks TLS
    monkeypatch.setattr(doctor, "LIMIT_S", 0.2)
    failure = found(LIVE_CLI_SERVER=f"wss://127.0.0.1:{port}")["server"].failure
    assert isinstance(failure, ConnectError)


def test_the_proxy_is_what_is_reached(port, monkeypatch):
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    server = found(LIVE_CLI_SERVER="wss://live.invalid")["server"]
    assert server.state == "ok"
    assert f"through the proxy 127.0.0.1:{port}" in server.says


def test_missing_sound_is_said_but_is_no_failure():
    findings = found(LIVE_CLI_SERVER="local")
    assert findings["microphone"].says == "Mic (ALSA), 44100 Hz"
    assert findings["speaker"].state == "note"
    assert "plug one in" in findings["speaker"].says


def test_nothing_to_talk_to(monkeypatch):
    monkeypatch.setattr(server_choice, "find_spec", lambda name: None)
    findings = found()
    assert isinstance(findings["server"].failure, SettingsError)
    assert "pip install 'live-cli[local]'" in findings["local engine"].says
    assert "GEMINI_API_KEY" in findings["Gemini key"].says


def test_a_missing_chat_model_fails_only_where_it_is_used(port):
    missing = {"LIVE_CLI_ENGINE_CHAT": "qwen3-1.7b-nonesuch"}
    assert isinstance(found(**missing)["chat model"].failure, EngineError)
    elsewhere = found(**missing, LIVE_CLI_SERVER=f"ws://127.0.0.1:{port}")["chat model"]
    assert elsewhere.state == "note"
    assert found(LIVE_CLI_ENGINE_CHAT="scripted")["chat model"].state == "ok"


def test_whether_the_chat_model_sees_is_said(tmp_path):
    model = tmp_path / "eyes.gguf"
    model.touch()
    for says in ("cannot see", "sees by mmproj-eyes.gguf"):
        assert found(LIVE_CLI_ENGINE_CHAT=f"gguf:{model}")["chat model"].says.endswith(f"; {says}")
        (tmp_path / "mmproj-eyes.gguf").touch()


def test_a_missing_turn_detector_is_a_note_that_names_the_way(monkeypatch):
    assert "Smart Turn" in found(LIVE_CLI_SERVER="local")["end of turn"].says
    assert found(LIVE_CLI_ENGINE_END_OF_TURN="silence")["end of turn"].says == "silence"
    monkeypatch.setattr(model_file, "package_folder", lambda name: None)
    missing = found(LIVE_CLI_SERVER="local")["end of turn"]
    assert missing.state == "note"
    assert "pip install --no-deps pipecat-ai" in missing.says


def test_a_missing_denoiser_is_a_note_that_names_the_way(monkeypatch):
    assert "where it is loud" in found()["noise"].says
    assert "denoise is off" in found(LIVE_CLI_ENGINE_DENOISE="off")["noise"].says
    monkeypatch.setattr(denoiser, "package_folder", lambda name: None)
    missing = found()["noise"]
    assert missing.state == "note"
    assert "pip install 'live-cli[denoise]'" in missing.says


def test_a_missing_transcriber_names_both_ways_out(monkeypatch):
    assert found(LIVE_CLI_SERVER="local")["transcriber"].state == "ok"
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    missing = found(LIVE_CLI_SERVER="local")["transcriber"]
    assert missing.state == "note"
    assert "live-cli[local]" in missing.says
    assert "live-cli[whisper]" in missing.says
    assert found(LIVE_CLI_ENGINE_TRANSCRIBER="scripted")["transcriber"].state == "ok"


def test_an_unknown_variable_is_noted(monkeypatch):
    monkeypatch.setenv("LIVE_CLI_VIOCE", "Kore")
    assert "LIVE_CLI_VOICE" in found(LIVE_CLI_SERVER="local")["settings"].says


def test_run_prints_every_line_and_raises_the_first_failure(capsys, port):
    doctor.run(settings(LIVE_CLI_SERVER=f"ws://127.0.0.1:{port}"), json=False)
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("ok ", "note ")) for line in lines)
    with pytest.raises(EngineError):
        doctor.run(settings(LIVE_CLI_SERVER="local", LIVE_CLI_ENGINE_CHAT="nonesuch"), json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows if row["state"] == "wrong"] == ["chat model"]
    assert rows[-1]["name"] == "terminal"  # a failure does not stop the rest


def test_no_key_is_shown(capsys, port):
    doctor.run(
        settings(
            LIVE_CLI_SERVER=f"ws://127.0.0.1:{port}", GEMINI_API_KEY="AIza1", LIVE_CLI_KEY="s3"
        ),
        json=False,
    )
    out = capsys.readouterr().out
    assert "set by GEMINI_API_KEY" in out
    assert "AIza1" not in out
    assert "s3" not in out
