"""A way to a port of this machine that can be cut, as a network is: nothing comes, nothing ends."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer


class CutLink(ThreadingTCPServer):
    """Leads to ``target``. While it is cut, connections stay open and what is sent waits."""

    daemon_threads = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.target = target
        self.port: int = self.server_address[1]
        self.is_whole = threading.Event()
        self.is_whole.set()

    def cut(self) -> None:
        self.is_whole.clear()

    def mend(self) -> None:
        self.is_whole.set()

    def pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        """Relay one direction to its end."""
        with suppress(OSError):
            while data := source.recv(65_536):
                self.is_whole.wait()
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class _Relay(BaseRequestHandler):
    server: CutLink

    def handle(self) -> None:
        self.server.is_whole.wait()
        with socket.create_connection(("127.0.0.1", self.server.target)) as there:
            back = threading.Thread(target=self.server.pass_on, args=(there, self.request))
            back.start()
            self.server.pass_on(self.request, there)
            back.join()


@contextmanager
def cut_link(target: int) -> Iterator[CutLink]:
    """A link that is whole at first, and at the end."""
    with CutLink(target) as link:
        thread = threading.Thread(target=link.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield link
        finally:
            link.mend()
            link.shutdown()
            thread.join()
