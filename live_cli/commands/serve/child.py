"""`live-cli serve --child`: the server that a command starts for itself and that dies with it.

Run as ``python -m live_cli.commands.serve.child`` it is a process of its own without the cost of
the command line's imports. The order is the point: first the listening sockets and their address,
by which the parent can connect into the backlog; then the models, loaded in threads; beside them
the HTTP stack.
"""

import argparse
import faulthandler
import importlib.util
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from live_cli.engine.backends.table import SERVER_MODULES, SHARED_STAGES, Stage
from live_cli.errors import LiveError, SettingsError
from live_cli.loopback import LOOPBACK_ADDRESS
from live_cli.net.child.pipe import ParentPipe, die_with_parent
from live_cli.net.server.listen import listen, one_time_key, port_of


def main(argv: Sequence[str] | None = None) -> None:
    """Serve the parent process, which holds the other end of stdin and stdout, until it ends."""
    single_threaded_numpy()
    pipe = ParentPipe()
    faulthandler.enable()  # a crash of a model library tells its place, in the log
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the child after its session
    try:
        options = _options(argv)
        given = {stage.value: getattr(options, stage.value) for stage in Stage}
        given |= {name: getattr(options, name) for name in ("barge_in", "denoise", "device")}
        names: dict[str, Any] = {stage: name for stage, name in given.items() if name}
        names["voices"] = tuple(pair for pair in options.voices.split(",") if pair)
        serve(pipe, names, options.threads, options.needs)
    except LiveError as exc:
        pipe.fail(exc)
        sys.exit(exc.exit_code)


def serve(pipe: ParentPipe, names: Mapping[str, Any], threads: int, needs: Sequence[Stage]) -> None:
    """Listen, tell the parent the address, then load ``needs`` and serve.

    Raises LiveError when it cannot listen; a stage that does not load is reported to the parent.
    """
    check_libraries()
    listeners = listen(LOOPBACK_ADDRESS, 0)
    key = one_time_key()
    pipe.announce(f"ws://{LOOPBACK_ADDRESS}:{port_of(listeners)}", key)

    import asyncio

    asyncio.run(_serve(pipe, listeners, key, names, threads, needs))


def single_threaded_numpy() -> None:
    """Keep numpy, which is not loaded yet, from making threads of its own.

    No stage multiplies large matrices in it: they take 0.1 s of CPU to start, and then wait for
    work by turning in circles on the cores that others need.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def check_libraries(*more: str) -> None:
    """Raises SettingsError when the extra of the local engine is not installed."""
    for library in (*SERVER_MODULES, *more):
        if importlib.util.find_spec(library) is None:
            raise SettingsError(
                f"The local server needs {library}. Install it: pip install 'live-cli[local]'"
            )


async def _serve(
    pipe: ParentPipe,
    listeners: list[socket.socket],
    key: str,
    names: Mapping[str, Any],
    threads: int,
    needs: Sequence[Stage],
) -> None:
    import asyncio
    import logging

    from live_cli.commands.failure_log import LogFormatter
    from live_cli.commands.serve.log import BoundedStderrHandler
    from live_cli.engine.engine import LiveEngine
    from live_cli.engine.stages import StageNames

    engine = LiveEngine(StageNames(**names, threads=threads), limits_audio=False)
    loading = asyncio.create_task(engine.load(needs))

    def tell(loading: asyncio.Task[None]) -> None:
        if isinstance(error := loading.exception(), LiveError):
            pipe.fail(error)
        elif error is not None:
            logging.getLogger("live_cli.serve").error("loading crashed", exc_info=error)

    loading.add_done_callback(tell)
    await asyncio.to_thread(importlib.import_module, "live_cli.net.server.app")

    from live_cli.commands.serve.served_models import own_model
    from live_cli.net.server.app import build_app, serve_on
    from live_cli.net.server.limits.lifetime import NO_LIMITS
    from live_cli.net.server.limits.limits import Limits

    shown = BoundedStderrHandler()
    shown.setFormatter(LogFormatter(tracebacks=True))
    logging.basicConfig(level=logging.INFO, handlers=[shown])

    def is_ready() -> bool:
        return loading.done() and loading.exception() is None

    limits = Limits(lifetimes=NO_LIMITS)
    models = [own_model(names.get("chat", ""))]
    app = build_app(
        engine, keys=[key], limits=limits, models=models, counter=engine, ready=is_ready
    )
    await serve_on(app, listeners)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="live-cli serve --child", allow_abbrev=False)
    parser.add_argument("command", nargs="?", choices=["serve"])
    parser.add_argument("--child", action="store_true")
    parser.add_argument("--needs", type=_needs, default=SHARED_STAGES)
    for stage in Stage:
        parser.add_argument(f"--{stage.value}")
    parser.add_argument("--barge_in")
    parser.add_argument("--denoise")
    parser.add_argument("--device")
    parser.add_argument("--voices", default="")
    parser.add_argument("--threads", type=int, default=0)
    return parser.parse_args(argv)


def _needs(text: str) -> tuple[Stage, ...]:
    shared = {stage.value: stage for stage in SHARED_STAGES}
    names = [name for name in text.split(",") if name]
    if unknown := [name for name in names if name not in shared]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose {', '.join(shared)}")
    return tuple(shared[name] for name in names)


if __name__ == "__main__":
    main()
