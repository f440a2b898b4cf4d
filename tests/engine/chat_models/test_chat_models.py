"""Finding models, and pulling them from a file server on loopback."""

import errno
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from live_cli.engine.chat_models.lookup import (
    BUNDLED,
    PULLABLE,
    PinnedFile,
    Pullable,
    find_chat_model,
    list_models,
)
from live_cli.engine.chat_models.pull import pull
from live_cli.engine.chat_models.sight import may_see
from live_cli.errors import EngineError

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Files(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.ranges.append(wanted)
        start = 0
        if self.path != "/models/good.gguf":
            self.send_error(404)
            return
        if wanted and server.resumes:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(CONTENT):
                self.send_error(416)
                return
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : start + server.breaks_after])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.ranges, server.resumes, server.breaks_after = [], True, len(CONTENT)
    server.url = f"http://127.0.0.1:{server.server_port}/models/good.gguf"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_pull_fetches_checks_and_lists(server, tmp_path):
    seen = []
    found = pull(server.url, lambda *args: seen.append(args), sha256=SHA256, folder=tmp_path)
    assert found.path.read_bytes() == CONTENT
    assert (found.name, found.origin) == ("good", "cache")
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["good.gguf"]
    assert find_chat_model("good", tmp_path).path == found.path
    assert list_models(tmp_path)[0] == found


def test_what_is_there_is_not_fetched_again(server, tmp_path):
    for _ in range(2):
        pull(server.url, sha256=SHA256.upper(), folder=tmp_path)
    assert len(server.ranges) == 1


def test_an_interrupted_pull_goes_on_where_it_stopped(server, tmp_path):
    server.breaks_after = 300_000
    with pytest.raises(EngineError, match="broke off at 300000 of 1048576 bytes"):
        pull(server.url, sha256=SHA256, folder=tmp_path)
    assert not (tmp_path / "good.gguf").exists()
    server.breaks_after = len(CONTENT)
    assert pull(server.url, sha256=SHA256, folder=tmp_path).path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-"]


def test_a_server_that_cannot_resume_sends_it_all_again(server, tmp_path):
    server.breaks_after = 300_000
    with pytest.raises(EngineError):
        pull(server.url, sha256=SHA256, folder=tmp_path)
    server.breaks_after, server.resumes = len(CONTENT), False
    assert pull(server.url, sha256=SHA256, folder=tmp_path).path.read_bytes() == CONTENT


def test_a_part_that_is_whole_is_only_checked(server, tmp_path):
    (tmp_path / f"good.{SHA256[:8]}.part").write_bytes(CONTENT)
    assert pull(server.url, sha256=SHA256, folder=tmp_path).path.read_bytes() == CONTENT
    pull(server.url, sha256=SHA256, size=len(CONTENT), folder=tmp_path)


def test_a_wrong_file_is_not_kept(server, tmp_path):
    with pytest.raises(EngineError, match="SHA-256 differs"):
        pull(server.url, sha256="0" * 64, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_longer_than_pinned_is_refused_early(server, tmp_path):
    with pytest.raises(EngineError, match="longer than the 1000 bytes"):
        pull(server.url, sha256=SHA256, size=1000, folder=tmp_path)


@pytest.mark.parametrize(
    ("what", "sha256", "words"),
    [
        ("http://127.0.0.1:9/x.gguf", SHA256, "cannot fetch .*refused"),
        ("nonsense", SHA256, "no model to pull is called 'nonsense'.*qwen"),
        ("http://127.0.0.1:9/x.gguf", None, "--sha256"),
        ("http://127.0.0.1:9/x.gguf", "abc", "--sha256"),
        ("file:///etc/passwd", SHA256, "https address"),
    ],
)
def test_refused(what, sha256, words, tmp_path):
    with pytest.raises(EngineError, match=words):
        pull(what, sha256=sha256, folder=tmp_path)


def test_not_found(server, tmp_path):
    with pytest.raises(EngineError, match="404"):
        pull(server.url.replace("good", "bad"), sha256=SHA256, folder=tmp_path)


def test_a_full_disk_is_said(server, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("live_cli.engine.chat_models.pull._receive", full)
    with pytest.raises(EngineError, match="No space left on device"):
        pull(server.url, sha256=SHA256, folder=tmp_path)


def test_a_pinned_model_by_name(server, tmp_path, monkeypatch):
    pinned = Pullable("good", server.url, len(CONTENT), SHA256, "for tests")
    monkeypatch.setitem(PULLABLE, "good", pinned)
    with pytest.raises(EngineError, match="live-cli models pull good"):
        find_chat_model("good", tmp_path)
    assert pull("good", folder=tmp_path).path.name == "good.gguf"


def test_a_model_that_sees_comes_with_its_projector(server, tmp_path, monkeypatch):
    projector = PinnedFile(server.url, len(CONTENT), SHA256)
    pinned = Pullable("eyes", server.url, len(CONTENT), SHA256, "for tests", projector)
    monkeypatch.setitem(PULLABLE, "eyes", pinned)
    server.breaks_after = 300_000
    with pytest.raises(EngineError, match="goes on where this stopped"):
        pull("eyes", folder=tmp_path)
    server.breaks_after = len(CONTENT)
    seen = []
    found = pull("eyes", lambda *args: seen.append(args), folder=tmp_path)
    assert server.ranges == [None, "bytes=300000-", None]
    assert seen[0] == (300_000, 2 * len(CONTENT))
    assert seen[-1] == (2 * len(CONTENT), 2 * len(CONTENT))
    assert seen == sorted(seen)
    assert found == find_chat_model("eyes", tmp_path)
    assert found.projector == tmp_path / "mmproj-eyes.gguf"
    assert found.projector.read_bytes() == CONTENT
    assert [model.name for model in list_models(tmp_path)] == ["eyes", BUNDLED]


@pytest.mark.parametrize(
    ("files", "model", "projector"),
    [
        ("a.gguf mmproj-a.gguf", "a.gguf", "mmproj-a.gguf"),
        ("a.gguf mmproj-model-f16.gguf", "a.gguf", "mmproj-model-f16.gguf"),
        ("A-Q4_K_M.gguf b.gguf mmproj-A-f16.gguf", "A-Q4_K_M.gguf", "mmproj-A-f16.gguf"),
        ("A-Q4_K_M.gguf b.gguf A-mmproj-bf16.gguf", "A-Q4_K_M.gguf", "A-mmproj-bf16.gguf"),
        ("a-IQ3_XS.gguf b.gguf a.mmproj-Q8_0.gguf", "a-IQ3_XS.gguf", "a.mmproj-Q8_0.gguf"),
        ("a.gguf b.gguf MMPROJ-a.gguf", "a.gguf", "MMPROJ-a.gguf"),
        ("a.gguf b.gguf mmproj-a.gguf", "b.gguf", None),
        ("a.gguf b.gguf mmproj-model-f16.gguf", "a.gguf", None),
        ("a-2b.gguf a-4b.gguf mmproj-a-2b.gguf", "a-4b.gguf", None),
        ("a.gguf mmproj-F16.gguf mmproj-BF16.gguf", "a.gguf", "mmproj-F16.gguf"),
        ("a.gguf mmproj.txt", "a.gguf", None),
        (
            "a-f16-00001-of-00002.gguf b.gguf mmproj-a.gguf",
            "a-f16-00001-of-00002.gguf",
            "mmproj-a.gguf",
        ),
    ],
)
def test_the_projector_is_the_one_beside_it_of_the_same_name(tmp_path, files, model, projector):
    for size, name in enumerate(files.split()):
        (tmp_path / name).write_bytes(b"x" * size)
    found = find_chat_model(str(tmp_path / model)).projector
    assert found == (tmp_path / projector if projector else None)
    assert may_see(f"gguf:{tmp_path / model}") == (projector is not None)


def test_a_projector_can_be_named(tmp_path):
    model, odd, other = (tmp_path / name for name in ("a.gguf", "a#b.gguf", "eyes.bin"))
    for path in (model, odd, other):
        path.write_bytes(b"x")
    assert find_chat_model(f"{model}#{other}").projector == other
    assert find_chat_model(f"#{other}", tmp_path).projector == other
    assert find_chat_model(str(odd)).path == odd
    with pytest.raises(EngineError, match=r"no projector at .*none\.gguf: write gguf:MODEL"):
        find_chat_model(f"{model}#{tmp_path / 'none.gguf'}")


@pytest.mark.parametrize(
    ("chat", "may"),
    [
        ("gguf", False),
        (BUNDLED, False),
        ("scripted", False),
        ("openai:http://127.0.0.1:1/v1#any", True),
        ("smolvlm2-500m", True),
        ("gguf:qwen3.5-2b", False),
        ("gguf:/none.gguf", True),  # refused as what is not there
    ],
)
def test_a_model_that_cannot_see_is_known_without_loading_it(chat, may, monkeypatch, tmp_path):
    monkeypatch.setattr("live_cli.engine.chat_models.lookup.cache_folder", lambda: tmp_path)
    assert may_see(chat) == may


def test_the_table_is_pinned():
    for model in PULLABLE.values():
        for file in (model, *filter(None, (model.projector,))):
            assert file.url.startswith("https://")
            assert "/resolve/main/" not in file.url
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.size > 100_000_000


def test_lookup_order(tmp_path):
    (tmp_path / "smollm2-135m.gguf").write_bytes(b"mine")
    assert find_chat_model("", tmp_path).origin == "cache"
    assert find_chat_model("").origin == "package"
    path = tmp_path / "other.gguf"
    path.write_bytes(b"x")
    assert find_chat_model(str(path), tmp_path).origin == "path"
    with pytest.raises(EngineError, match="did you mean smollm2-135m"):
        find_chat_model("smollm-135m", tmp_path)
    with pytest.raises(EngineError, match="no chat model at"):
        find_chat_model(str(tmp_path / "gone.gguf"), tmp_path)
