"""`live-cli serve`: the local Live API server in the foreground."""

import asyncio
import contextlib
import faulthandler
import importlib
import importlib.util
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Final

from live_cli.commands.serve.child import check_libraries, single_threaded_numpy
from live_cli.commands.serve.descriptors import raise_descriptor_limit
from live_cli.commands.serve.encryption import Encryption, encryption_of, plain_text_notice
from live_cli.commands.serve.environment import environment, welcome
from live_cli.commands.serve.heap import HeapTrimmer, glibc_trim, keep_for_good
from live_cli.commands.serve.log import log_to_stderr
from live_cli.errors import SettingsError
from live_cli.loopback import is_loopback
from live_cli.net.server.limits.lifetime import LifetimeLimits
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.listen import addresses_of, listen, port_of
from live_cli.settings.credentials import store_password
from live_cli.settings.schema import EngineSettings, ServeSettings, Settings
from live_cli.settings.store_address import MEMORY
from live_cli.streams import leave_closed_terminal

if TYPE_CHECKING:
    from live_cli.engine.engine import LiveEngine
    from live_cli.engine.openai_api.served_stages import ServedStages
    from live_cli.engine.stages import StageNames
    from live_cli.net.server.stats.prometheus import PrometheusCounts, StageStates
    from live_cli.net.server.store.session_store import SessionStore


_SHORTEST_KEY: Final = 16
"""Characters: of random hexadecimal digits 64 bits, which nobody guesses over a network."""


def run(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    print_env: bool = False,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, which end it gracefully; a second one ends it at once.

    ``print_env``: only print the environment that programs need to use such a server.
    Raises SettingsError (no key for the network or a short one, or a certificate that will not do),
    ConnectError (no such port) and EngineError.
    """
    host = (settings.serve.host if host is None else host).strip("[]")
    port = settings.serve.port if port is None else port
    key = settings.server_key
    if not is_loopback(host):
        check_key_for_network(host, key)
    if print_env:
        if port == 0:
            raise SettingsError("Only a running server knows the port it took: name one, --port N.")
        print(environment(host, port, encryption_of(settings.serve, host), keyed=key is not None))
        return
    single_threaded_numpy()
    check_libraries("prometheus_client")
    if settings.serve.store != MEMORY:
        _check_store_library()
    encryption = encryption_of(settings.serve, host)
    raise_descriptor_limit(settings.serve)
    listeners = listen(host, port)
    faulthandler.enable()  # a crash of a model library tells its place
    log_to_stderr()
    asyncio.run(_serve(settings, host, listeners, key, encryption))


def _check_store_library() -> None:
    """Raises SettingsError when the extra of a shared store is not installed."""
    if importlib.util.find_spec("redis") is None:
        raise SettingsError("A shared store needs redis. Install it: pip install 'live-cli[scale]'")


def check_key_for_network(host: str, key: str | None) -> None:
    """Raises SettingsError for a key too short to serve other machines with, or none."""
    if key is None:
        raise SettingsError(
            f"To serve others than this machine ({host}) a key is needed: set LIVE_CLI_KEY, "
            "or serve 127.0.0.1."
        )
    if len(key) < _SHORTEST_KEY:
        raise SettingsError(
            f"To serve others than this machine ({host}) a key of {_SHORTEST_KEY} characters or "
            "more is needed: a shorter one can be guessed. Make one: openssl rand -hex 32"
        )


async def _serve(
    settings: Settings,
    host: str,
    listeners: list[socket.socket],
    key: str | None,
    encryption: Encryption | None,
) -> None:
    stop = asyncio.Event()
    serving = settings.serve
    limits = limits_of(serving)
    with stopping_on_signals(stop, limits.drain_s + limits.grace_s):
        port, addresses = port_of(listeners), addresses_of(listeners)
        say(welcome(host, port, encryption, keyed=key is not None, addresses=addresses))
        if notice := plain_text_notice(host, encryption):
            say(notice)
        engine, loading = _load_engine(settings.engine, serving)
        for module in ("live_cli.net.server.app", "live_cli.net.server.stats.prometheus"):
            await asyncio.to_thread(importlib.import_module, module)

        from live_cli.commands.serve.served_models import served_models
        from live_cli.net.server.app import build_app, serve_on
        from live_cli.net.server.stats.prometheus import PrometheusCounts

        counts = PrometheusCounts(lambda: stages_of(engine), limits.sessions)
        keys = [key] if key else []
        app = build_app(
            engine,
            keys=keys,
            origins=serving.allow_origins,
            limits=limits,
            strict=serving.strict,
            models=served_models(settings.engine),
            counter=engine,
            counts=counts,
            store=_store_of(serving, counts),
            ready=loading.done,
            on_idle=HeapTrimmer(glibc_trim()).note_idle,
        )
        secure = encryption.context if encryption else None
        with telling_when_loaded(loading, stop):
            await serve_on(app, listeners, stop=stop, secure=secure)
        await engine.close()


def limits_of(options: ServeSettings) -> Limits:
    """The limits of connections, sessions and messages, from the settings."""
    return Limits(
        received_payload_bytes=options.max_message_bytes,
        setup_bytes=options.max_setup_bytes,
        stranger_bytes=options.max_stranger_bytes,
        connections=options.max_connections,
        connections_per_address=options.max_connections_per_address,
        sessions=options.max_sessions,
        sessions_per_key=options.max_sessions_per_key,
        tokens=options.max_auth_tokens,
        wrong_keys_per_min=options.max_wrong_keys_per_min,
        held_bytes=options.max_held_bytes,
        small_messages_per_s=options.max_small_messages_per_s,
        grace_s=options.grace_s,
        drain_s=options.drain_s,
        lifetimes=LifetimeLimits(
            connection_s=options.connection_limit_s,
            audio_session_s=options.audio_session_limit_s,
            video_session_s=options.video_session_limit_s,
            warning_s=options.go_away_s,
        ),
    )


def _store_of(options: ServeSettings, counts: "PrometheusCounts") -> "SessionStore | None":
    """The store that the settings name; None: this process's memory."""
    if options.store == MEMORY:
        return None
    from live_cli.net.server.store.redis import RedisStore

    return RedisStore(
        options.store,
        password=store_password(options.store_password_file),
        most_tokens=options.max_auth_tokens,
        most_bytes=options.max_stored_bytes,
        log=logging.getLogger("live_cli.serve"),
        on_failure=counts.miss_store,
    )


def _load_engine(
    options: EngineSettings, serving: ServeSettings
) -> "tuple[LiveEngine, asyncio.Task[None]]":
    from live_cli.engine.engine import LiveEngine

    names = stage_names(options, serving)
    engine = LiveEngine(names, strict=serving.strict)
    return engine, asyncio.create_task(engine.load())


def stage_names(options: EngineSettings, serving: ServeSettings) -> "StageNames":
    """Return the backend of each stage, from the settings."""
    from live_cli.engine.stages import StageNames

    return StageNames(
        detector=options.detector,
        transcriber=options.transcriber,
        chat=options.chat,
        synthesizer=options.synthesizer,
        end_of_turn=options.end_of_turn,
        barge_in=options.barge_in,
        denoise=options.denoise,
        device=options.device,
        threads=options.threads,
        parallel=serving.parallel,
        voices=options.voices,
    )


def stages_of(engine: "LiveEngine | ServedStages") -> "StageStates":
    """The state of each stage that was asked for; detectors are made for each stream."""
    for each in engine.report():
        if each.state != "unloaded":
            # a name may hold the address of an endpoint: its kind is enough
            yield each.stage.value, each.name.partition(":")[0], each.state == "ready"


def say(text: str) -> None:
    """Tell the person who started the server."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def telling_when_loaded(loading: asyncio.Task[None], stop: asyncio.Event) -> Iterator[None]:
    """Say when the models are loaded, while the server runs; ``stop`` it where they cannot be.

    Raises at the end what kept them from it.
    """

    def loaded(loading: asyncio.Task[None]) -> None:
        if loading.exception() is None:
            keep_for_good()
            say("Ready.")
        else:
            stop.set()

    loading.add_done_callback(loaded)
    yield
    loading.remove_done_callback(loaded)
    if loading.done():
        loading.result()


@contextlib.contextmanager
def stopping_on_signals(stop: asyncio.Event, grace_s: float) -> Iterator[None]:
    """Within the context a first signal sets ``stop``; a second one ends the process.

    After the first the process also ends by itself, ``grace_s`` and a little later.
    """
    loop = asyncio.get_running_loop()
    asked = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        name = signal.Signals(number).name
        leave_closed_terminal()
        if asked:
            _say_at_once(f"Ended at once: {name} came again.")
            os._exit(128 + number)
        asked = True
        _say_at_once(f"Ending: {name}.")
        loop.call_soon_threadsafe(stop.set)
        # A model call cannot be interrupted and must not hold the process beyond its time.
        last = threading.Timer(grace_s + _CLOSING_S, _give_up)
        last.daemon = True
        last.start()

    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    # nohup has SIGHUP ignored, and means it
    wanted = [n for n in numbers if n == signal.SIGINT or signal.getsignal(n) != signal.SIG_IGN]
    previous = {number: signal.signal(number, on_signal) for number in wanted}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


_CLOSING_S = 2.0
"""For closing the connections of sessions that took the whole grace time."""
_ENDING: Final = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


def _say_at_once(text: str) -> None:
    """Say ``text`` from a signal handler, which may stand in the middle of another print."""
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode())


def _give_up() -> None:
    _say_at_once("Ended: a model was still at work when the time for the sessions' end was over.")
    os._exit(0)
