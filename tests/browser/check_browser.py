"""A web page in headless Chromium, with a fake microphone, against a real `serve`.

The page has the unmodified @google/genai, bundled for browsers as pages are; it streams the
microphone through an AudioWorklet. Recogniser and voice are real, the answer is scripted. Not part
of the test run: `make browser`.
"""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
import soundfile
import soxr

from live_cli.net.server.access.admission import FOREIGN_ORIGIN
from tests.harness.command import LIMIT_S, environment
from tests.harness.sdks import NODE, SDKS
from tests.harness.serve_process import serving
from tests.harness.speech import QUESTION, QUESTION_WORDS, word_errors

ANSWER = "A dog has four legs."
HERE = Path(__file__).parent
PACKAGES = SDKS / "browser" / "node_modules"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OTHER_HOST = "app.example"
DEVICE_RATE = 48_000
"""What microphones of browsers have, in Hz."""


class PageServer(ThreadingHTTPServer):
    """Serves a folder on loopback, and keeps what its page posts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(PageRequest, directory=str(folder)))
        self.told: Queue[dict[str, Any]] = Queue()

    def wait(self, log: Path) -> dict[str, Any]:
        """What the page tells; the browser's ``log`` is shown where nothing comes."""
        try:
            return self.told.get(timeout=LIMIT_S)
        except Empty:
            raise AssertionError(f"the page told nothing: {log.read_text()}") from None


class PageRequest(SimpleHTTPRequestHandler):
    """A file of the page, or what the page tells."""

    def do_POST(self) -> None:
        assert isinstance(self.server, PageServer)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.put(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: what went wrong is told by the page."""


@contextmanager
def page_server(folder: Path) -> Iterator[PageServer]:
    """The page of ``folder`` on loopback, at a free port."""
    with PageServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def build_page(folder: Path) -> None:
    """The page's files, with the SDK bundled into its script: what a browser loads."""
    assert PACKAGES.exists(), "the page's SDK is not installed: make browser"
    folder.mkdir()
    for name in ("page.html", "microphone.js"):
        shutil.copy(HERE / name, folder)
    bundler = [NODE.interpreter, PACKAGES / "esbuild" / "bin" / "esbuild"]
    subprocess.run(
        [
            *bundler,
            HERE / "talk.mjs",
            "--bundle",
            "--log-level=warning",
            "--format=esm",
            f"--outfile={folder / 'talk.js'}",
        ],
        check=True,
        timeout=LIMIT_S,
        env=environment(folder, NODE_PATH=str(PACKAGES)),
    )


def write_microphone(path: Path) -> None:
    """The question and then silence, as the microphone hears them."""
    samples, rate = soundfile.read(QUESTION, dtype="float32")
    pause = np.zeros(rate, np.float32)
    sound = soxr.resample(np.concatenate([pause, samples, pause]), rate, DEVICE_RATE)
    soundfile.write(path, sound, DEVICE_RATE, subtype="PCM_16")


@contextmanager
def browsing(url: str, microphone: Path, home: Path) -> Iterator[None]:
    """Headless Chromium on ``url``; the page that asks for its microphone gets the file, once."""
    assert CHROMIUM is not None, "Chromium is not installed: make browser"
    options = [
        "--headless=new",
        "--no-sandbox",  # root has none
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        f"--user-data-dir={home / 'profile'}",
        f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
        "--autoplay-policy=no-user-gesture-required",
        # only pages by TLS or of this machine get a microphone
        f"--unsafely-treat-insecure-origin-as-secure={urljoin(url, '/').rstrip('/')}",
    ]
    with (home / "chromium.log").open("w") as log:
        process = subprocess.Popen(
            [CHROMIUM, *options, url], stdout=log, stderr=log, env=environment(home)
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(LIMIT_S)


def told_by_page(home: Path, host: str, allowed: bool = False) -> dict[str, Any]:
    """What the page tells, loaded from ``host``, which `serve` may be told to allow."""
    folder, microphone = home / "page", home / "microphone.wav"
    build_page(folder)
    write_microphone(microphone)
    settings = {"LIVE_CLI_ENGINE_CHAT": f"scripted:{ANSWER}"}
    with page_server(folder) as pages:
        origin = f"http://{host}:{pages.server_port}"
        if allowed:
            settings["LIVE_CLI_SERVE_ALLOW_ORIGINS"] = origin
        with serving(home, settings) as serve:
            url = f"{origin}/page.html?server={serve.address}"
            with browsing(url, microphone, home):
                told = pages.wait(home / "chromium.log")
    print(told)
    return told


@pytest.mark.parametrize(
    ("host", "allowed"), [("127.0.0.1", False), ("localhost", False), (OTHER_HOST, True)]
)
def test_what_is_spoken_to_a_page_is_answered(tmp_path: Path, host: str, allowed: bool) -> None:
    told = told_by_page(tmp_path, host, allowed)
    assert "error" not in told
    assert word_errors(QUESTION_WORDS, told["heard"]) == 0
    assert told["said"] == ANSWER
    assert told["audio_s"] > 0.5
    assert told["model"].startswith("models/")


def test_a_page_of_another_host_is_refused_in_words(tmp_path: Path) -> None:
    told = told_by_page(tmp_path, OTHER_HOST)
    assert told == {"error": f"Error: closed: {FOREIGN_ORIGIN.code} {FOREIGN_ORIGIN.reason}"}
