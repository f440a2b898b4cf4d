"""`live-cli models` and `models pull`, from a file server of our own."""

import hashlib
import http.server
import json
import threading
from pathlib import Path

import pytest

from live_cli.commands import models
from live_cli.engine.backends.table import Stage
from live_cli.engine.chat_models import programs
from live_cli.engine.chat_models.lookup import BUNDLED, PULLABLE, PinnedFile, find_chat_model
from live_cli.engine.chat_models.programs import ChatProgram
from live_cli.engine.speech_models.catalog import SPEECH_MODELS, PinnedFolder
from live_cli.engine.speech_models.lookup import pulled
from live_cli.errors import EngineError, OptionError

BODY = b"GGUF" + bytes(range(256)) * 4096
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def served():
    """The address of a server that gives BODY for tiny.gguf."""

    class Files(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            there = self.path == "/tiny.gguf"
            self.send_response(200 if there else 404)
            self.send_header("Content-Length", str(len(BODY) if there else 0))
            self.end_headers()
            if there:
                self.wfile.write(BODY)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    for module in ("lookup", "pull"):
        name = f"live_cli.engine.chat_models.{module}.cache_folder"
        monkeypatch.setattr(name, lambda: tmp_path / "models")
    return tmp_path / "models"


def test_a_pulled_model_is_listed_and_its_path_printed(served, cache, capsys):
    models.pull(f"{served}/tiny.gguf", sha256=SHA256)
    printed = capsys.readouterr()
    assert Path(printed.out.strip()).read_bytes() == BODY
    assert "answers from now on" in printed.err
    assert find_chat_model("").name == "tiny"
    models.run(json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == {
        "name": "tiny",
        "does": "answers",
        "size_mb": 1,
        "sees": False,
        "from": "cache",
        "where": str(cache / "tiny.gguf"),
    }
    (cache / "mmproj-tiny.gguf").write_bytes(BODY)
    models.run(json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["name"], row["sees"]) for row in rows[:2]] == [
        ("tiny", True),
        (BUNDLED, False),
    ]


def test_models_of_other_programs_are_listed_as_a_setting_names_them(cache, capsys, monkeypatch):
    found = [ChatProgram("ollama", ("qwen3:4b", "evil\x1b[31m")), ChatProgram("vllm", ())]
    monkeypatch.setattr(programs, "find_programs", lambda: found)
    models.run(json=False)
    out = capsys.readouterr().out
    assert "ollama:qwen3:4b\tanswers\t\t\tOllama\t--chat ollama:qwen3:4b" in out
    assert "\x1b" not in out


def test_a_transcriber_is_pulled_file_by_file(served, tmp_path, cache, capsys, monkeypatch):
    file = PinnedFile(f"{served}/tiny.gguf", len(BODY), SHA256)
    small = PinnedFolder("hears", Stage.TRANSCRIBER, "", {"a.bin": file, "b.json": file})
    monkeypatch.setitem(SPEECH_MODELS, "hears", small)
    models.pull("hears", sha256=None, folder=tmp_path)
    folder = Path(capsys.readouterr().out.strip())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a.bin": BODY,
        "b.json": BODY,
    }
    assert pulled(small, tmp_path).size == 2 * len(BODY)


def test_what_can_be_fetched_is_listed_with_its_command(cache, capsys):
    models.run(json=False)
    out = capsys.readouterr().out
    for name in [*PULLABLE, "whisper-small", "whisper-large-v3-turbo"]:
        assert f"live-cli models pull {name}: " in out


@pytest.mark.parametrize(
    ("path", "sha256", "says"),
    [("none.gguf", SHA256, "404"), ("tiny.gguf", None, "sha256"), ("tiny.gguf", "0" * 64, "SHA")],
)
def test_a_pull_that_fails_says_why_and_leaves_nothing_behind(served, cache, path, sha256, says):
    with pytest.raises(EngineError, match=f"(?i){says}"):
        models.pull(f"{served}/{path}", sha256=sha256)
    assert list(cache.glob("*.gguf")) == []


def test_an_unknown_name_names_the_known_ones(cache):
    with pytest.raises(OptionError, match="choose qwen"):
        models.pull("nonesuch", sha256=None)
