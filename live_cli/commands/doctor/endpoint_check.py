"""A check of the endpoints of stages elsewhere: they answer, and have the model that is named."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from live_cli.commands.doctor.findings import Finding
from live_cli.engine.backends.endpoint_addresses import EndpointAddress, addresses_of
from live_cli.engine.backends.stage_endpoint import (
    EndpointRefusedError,
    EndpointRequest,
    StageEndpoint,
    json_object,
)
from live_cli.engine.backends.table import Argument, Stage, find_backend
from live_cli.errors import EngineError
from live_cli.settings.schema import EngineSettings

_LIMIT_S = 3.0
_MOST_BYTES = 4 * 1024 * 1024
_SHOWN_MODELS = 4
_TITLES = {
    Stage.TRANSCRIBER: "transcriber",
    Stage.CHAT: "chat model",
    Stage.SYNTHESIZER: "synthesizer",
}


def is_elsewhere(stage: Stage, engine: EngineSettings) -> bool:
    """Return whether ``stage`` is named by the address of an endpoint."""
    backend, _ = find_backend(stage, getattr(engine, stage.value))
    return backend is not None and backend.argument is Argument.ENDPOINT


def endpoint_findings(engine: EngineSettings, *, needed: bool) -> Iterator[Finding]:
    """Yield one finding for each address. ``needed``: a stage that no address has is a failure."""
    for stage, title in _TITLES.items():
        backend, spec = find_backend(stage, getattr(engine, stage.value))
        if backend is None or not is_elsewhere(stage, engine):
            continue
        key = backend.variables[0]
        try:
            addresses = addresses_of(spec, key=key, needs_name=stage is Stage.CHAT)
        except EngineError as exc:
            yield Finding(title, str(exc), failure=exc if needed else None, hint=True)
            continue
        with ThreadPoolExecutor(len(addresses)) as pool:
            answers = list(pool.map(partial(_asked, title, key), addresses))
        all_failed = all(isinstance(each, EngineError) for each in answers)
        for address, found in zip(addresses, answers, strict=True):
            if isinstance(found, EngineError):
                failure = found if needed and all_failed else None
                yield Finding(title, str(found), failure=failure, hint=True)
            else:
                yield _told(stage, title, address, found)


def _asked(title: str, key: str, address: EndpointAddress) -> list[str] | EngineError:
    """Return the models that an address lists, none where it has no list."""
    spec = f"{address.base}#{address.name}"
    endpoint = StageEndpoint(
        title, spec, key=key, silence_s=_LIMIT_S, most_bytes=_MOST_BYTES, needs_name=False
    )
    try:
        body = endpoint.whole(lambda _: EndpointRequest("/models", None))
        found = json_object(body, title).get("data")
    except EndpointRefusedError as exc:
        return [] if exc.status in (404, 405, 501) else exc
    except EngineError as exc:
        return exc
    listed = found if isinstance(found, list) else []
    return [str(each["id"]) for each in listed if isinstance(each, dict) and "id" in each]


def _told(stage: Stage, title: str, address: EndpointAddress, models: list[str]) -> Finding:
    name = address.name.rpartition("/")[0] if stage is Stage.SYNTHESIZER else address.name
    if name and models and name not in models:
        more = ", …" if len(models) > _SHOWN_MODELS else ""
        has = ", ".join(models[:_SHOWN_MODELS])
        return Finding(title, f"{address.host} has no model {name!r}, but {has}{more}", hint=True)
    return Finding(title, f"{address.host} answers{f', with {name}' if name in models else ''}")
