"""Nobody connects to the HTTP server inside the chat model's library."""

import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from live_cli.engine.backends.llm.gguf import GgufChatModel
from live_cli.engine.chat_models.lookup import find_chat_model
from live_cli.engine.stages import ChatMessage, ChatRequest, Sampling
from tests.harness import real_stages

needs_models = real_stages.chat
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
_LISTENING_TCP = "0A"
_LISTENING_UNIX = "00010000"


def own_inodes():
    links = (os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink())
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def listening_tcp():
    """Local addresses, as the kernel writes them, at which this process takes connections."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/self/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING_TCP and fields[9] in own_inodes():
                found.add(fields[1])
    return found


def listening_unix():
    """Paths at which this process takes connections."""
    rows = (line.split() for line in Path("/proc/self/net/unix").read_text().splitlines()[1:])
    own = own_inodes()
    return {row[7] for row in rows if row[3] == _LISTENING_UNIX and row[6] in own and len(row) > 7}


def says_something(model):
    said = []
    ask = ChatRequest((ChatMessage("user", "Hello"),), Sampling(max_tokens=4))
    model.generate(ask, lambda delta: said.append(delta.text) or False)
    return "".join(said).strip()


@linux
def test_a_loaded_model_answers_us_and_listens_to_nobody(real):
    tcp, unix = listening_tcp(), listening_unix()
    model = GgufChatModel(find_chat_model().path)
    assert listening_tcp() == tcp
    [path] = listening_unix() - unix
    with pytest.raises(FileNotFoundError), socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(path)
    assert not Path(path).parent.exists()
    assert says_something(model)
    assert listening_tcp() == tcp
    model.close()


@pytest.mark.skipif(os.name != "posix", reason="needs sockets that are files")
def test_the_folder_is_private_while_the_model_loads(real, monkeypatch):
    import xllamacpp

    seen = []

    def server(params):
        folder = Path(params.hostnames[0]).parent
        seen.append((folder.stat().st_mode & 0o777, folder.stat().st_uid))
        return xllamacpp_server(params)

    xllamacpp_server = xllamacpp.Server
    monkeypatch.setattr(xllamacpp, "Server", server)
    before = os.umask(0)
    try:
        GgufChatModel(find_chat_model().path).close()
    finally:
        os.umask(before)
    assert seen == [(0o700, os.getuid())]


@pytest.mark.skipif(os.name != "posix", reason="needs sockets that are files")
def test_a_long_folder_for_temporary_files_is_no_hindrance(real, tmp_path, monkeypatch):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    model = GgufChatModel(find_chat_model().path)
    assert says_something(model)
    model.close()
