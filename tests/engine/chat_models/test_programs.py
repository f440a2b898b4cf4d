"""Chat models of other programs: found by one question, whatever else sits at their ports."""

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from live_cli.engine.backends.table import CHAT_PROGRAMS, Stage, find_backend
from live_cli.engine.chat_models.programs import ChatProgram, find_programs


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[tuple[int, list[tuple[str, str | None]]]]:
    asked: list[tuple[str, str | None]] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(status)
            self.end_headers()
            with suppress(ConnectionError):  # it may have read enough
                self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


def listing(*names: object) -> bytes:
    return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()


@pytest.mark.parametrize(
    ("body", "status", "models"),
    [
        (listing("qwen3:4b", "llama3.2"), 200, ("qwen3:4b", "llama3.2")),
        (listing(), 200, ()),
        (listing("good", 7, "", "x" * 5000, None), 200, ("good",)),
        (listing("secret"), 401, None),
        (b"<html>a router's page</html>", 200, None),
        (b'{"data": {"id": "x"}}', 200, None),
        (b'{"data": ["x"]}', 200, None),
        (b"[" * 100_000, 200, None),
        (b"\xff\xfe", 200, None),
        (b" " * (2 << 20) + listing("late"), 200, None),
    ],
)
def test_only_a_list_of_models_counts(monkeypatch, body, status, models):
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-for-somebody-else")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with answering(body, status) as (port, asked):
        found = find_programs({"ollama": port})
    assert found == ([] if models is None else [ChatProgram("ollama", models)])
    assert asked == [("/v1/models", None)]


def test_ports_that_nobody_answers_at_are_asked_side_by_side_and_shortly():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = dict.fromkeys(CHAT_PROGRAMS, silent.getsockname()[1])
        begin = time.monotonic()
        assert find_programs(ports) == []
    assert time.monotonic() - begin < 2.5


@pytest.mark.parametrize("program", CHAT_PROGRAMS)
def test_a_model_of_a_program_is_a_model_behind_an_endpoint(program):
    backend, argument = find_backend(Stage.CHAT, f"{program}:qwen3:4b")
    assert backend.name == "openai"
    assert argument == f"http://127.0.0.1:{CHAT_PROGRAMS[program]}/v1#qwen3:4b"
    assert find_backend(Stage.CHAT, program) == (find_backend(Stage.CHAT, "gguf")[0], program)
