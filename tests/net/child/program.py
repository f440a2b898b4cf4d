"""A program that the tests run as a server child; its first argument says what it does."""

import asyncio
import os
import signal
import subprocess
import sys
import time

from live_cli.errors import EngineError
from live_cli.net.child.pipe import ParentPipe, die_with_parent


def main(act: str) -> None:
    pipe = ParentPipe()
    if act == "silent":
        time.sleep(600)
    if act == "fails":
        pipe.fail(EngineError("The chat model is missing. Run: live-cli models pull NAME."))
        sys.exit(6)
    if act == "crashes":
        raise RuntimeError("out of \x1b[31mluck")
    if act == "vanishes":
        os._exit(9)
    if act == "stubborn":  # neither the pipe nor a polite signal ends it
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pipe.announce("ws://127.0.0.1:1", "key")
        time.sleep(600)
    die_with_parent()
    if act == "serves":
        serve(pipe)
    print("a library talks on stdout")
    subprocess.run(["echo", "so does its child"], check=True)
    pipe.announce("ws://127.0.0.1:1", "key")
    if act == "fails late":
        pipe.fail(EngineError("The model is broken."))
    time.sleep(600)


def serve(pipe: ParentPipe) -> None:
    from live_cli.net.server.app import build_app, serve_on
    from live_cli.net.server.listen import listen, one_time_key, port_of

    class Engine:
        async def open(
            self, setup: object, emit: object, dialect: object, principal: str, snapshots: object
        ) -> "Engine":
            return self

        async def handle(self, event: object) -> None: ...

        takes_video = False

        async def failed(self) -> EngineError:
            await asyncio.Event().wait()
            raise AssertionError

        async def close(self) -> None: ...

    listeners = listen("127.0.0.1", 0)
    key = one_time_key()
    pipe.announce(f"ws://127.0.0.1:{port_of(listeners)}", key)
    asyncio.run(serve_on(build_app(Engine(), keys=[key]), listeners))


def parent(log_path: str) -> None:
    """Start a child, print its pid, and wait to be killed."""
    from pathlib import Path

    from live_cli.net.child.process import ServerChild

    async def run() -> None:
        program = [sys.executable, __file__]
        start = ServerChild.start(["serves"], program=program, log_path=Path(log_path))
        async with start as child:
            print(child.pid, flush=True)
            await asyncio.sleep(600)

    asyncio.run(run())


if __name__ == "__main__":
    if sys.argv[1] == "parent":
        parent(sys.argv[2])
    main(sys.argv[1])
