"""A store that replicas share, in Redis or Valkey."""

import asyncio
import contextlib
import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from redis.asyncio.client import PubSub

from live_cli.fair_share import account_of
from live_cli.net.server.access.admission import TOKEN_PREFIX
from live_cli.net.server.access.principal import Principal, digest_of
from live_cli.net.server.access.tokens import (
    SPENT,
    TOO_LATE,
    UNKNOWN,
    Terms,
    Token,
    TokensFullError,
)
from live_cli.net.server.close_reason import CloseReason
from live_cli.net.server.limits.lifetime import ResumableSession
from live_cli.net.server.store import redis_scripts as scripts
from live_cli.net.server.store.redis_link import PREFIX, RedisLink
from live_cli.net.server.store.session_store import StoreAwayError
from live_cli.net.server.store.token_terms import pack_terms, unpack_token

_TTL_MS: Final = 2 * 3600 * 1000
"""How long a handle is good for (reference §3.5)."""
_HEARTBEAT_S: Final = 2.0
_PLACE_MS: Final = 15_000
"""How long a place lasts without a heartbeat."""
_REFUSALS: Final = {b"unknown": UNKNOWN, b"late": TOO_LATE, b"spent": SPENT}


@dataclass(frozen=True, slots=True)
class _Owned:
    """A session that a connection of this process has had ``since``, on the monotonic clock."""

    session: ResumableSession
    end: Callable[[], None]
    since: float


class RedisStore:
    """`SessionStore` in the Redis or Valkey at ``url`` (redis://, rediss:// or unix://).

    ``most_tokens``: of each key. ``most_bytes``: of histories and images, for each key and the
    tokens that it made. ``on_failure`` is called for each call that the store does not answer.
    """

    def __init__(
        self,
        url: str,
        *,
        most_tokens: int,
        most_bytes: int,
        log: logging.Logger,
        password: str | None = None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._link = RedisLink(url, password, log, on_failure)
        self._most_tokens = most_tokens
        self._most_bytes = most_bytes
        self._owned: dict[str, _Owned] = {}  # by the session's id
        self._places: dict[str, str] = {}  # the account of each

    @property
    def is_away(self) -> bool:
        return self._link.is_away

    async def close(self) -> None:
        await self._link.close()

    # --- tokens --------------------------------------------------------------------------------

    async def create_token(self, terms: Terms, maker: Principal) -> str:
        name = TOKEN_PREFIX + secrets.token_hex(32)
        kept = await self._link.run(
            scripts.CREATE_TOKEN,
            digest_of(name).hex(),
            maker.id,
            self._most_tokens,
            int(terms.usable_s * 1000),
            int(terms.new_sessions_s * 1000),
            "" if terms.uses is None else terms.uses,
            pack_terms(terms, maker),
        )
        if not kept:
            raise TokensFullError
        return name

    async def find_token(self, name: str) -> Token | CloseReason:
        digest = digest_of(name)
        found = await self._link.run(scripts.FIND_TOKEN, digest.hex())
        if not found:
            return UNKNOWN
        left_ms, terms = found
        return unpack_token(digest, terms, time.monotonic() + left_ms / 1000)

    async def spend(self, token: Token) -> CloseReason | None:
        return _REFUSALS.get(await self._link.run(scripts.SPEND_TOKEN, token.digest.hex()))

    # --- sessions ------------------------------------------------------------------------------

    async def find(self, principal: str, handle: str) -> ResumableSession | None:
        ask = self._link.ask
        session = await ask("HGET", _handle_key(principal, handle), "session")
        if session is None:
            return None
        key = f"{PREFIX}session:{session.decode()}"
        kept = await ask("HMGET", key, "epoch", "lasted", "video_at", "warned")
        epoch, lasted, video_at, warned = kept
        return ResumableSession(
            principal,
            used_s=float(lasted or 0),
            video_at_s=float(video_at) if video_at else None,
            warned=warned == b"1",
            id=session.decode(),
            epoch=int(epoch or 1),
        )

    async def claim(self, session: ResumableSession, end: Callable[[], None]) -> None:
        if session.epoch:
            session.epoch = await self._link.run(scripts.CLAIM, session.id, session.epoch, _TTL_MS)
        else:
            session.epoch = 1  # of a new session, whose first history makes it known to others
        self._end(session.id)
        self._owned[session.id] = _Owned(session, end, time.monotonic())

    async def leave(self, session: ResumableSession, end: Callable[[], None]) -> None:
        owned = self._owned.get(session.id)
        if owned is None or owned.end != end:
            return
        del self._owned[session.id]
        with contextlib.suppress(StoreAwayError):
            state = _state(session, session.used_s)
            await self._link.run(scripts.NOTE_SESSION, *state, _TTL_MS)

    def note(self, handle: str, session: ResumableSession) -> None:
        """Do nothing: `put` has kept the handle with its session."""

    def snapshots(self, session: ResumableSession) -> "RedisSnapshots":
        return RedisSnapshots(self, session)

    async def put(
        self, session: ResumableSession, model: str, data: bytes, images: Mapping[bytes, bytes]
    ) -> str | None:
        """Keep a history under the session's epoch; where that is past, end its connection."""
        owned = self._owned.get(session.id)
        if owned is None or owned.session is not session:
            return None
        handle, principal = secrets.token_urlsafe(24), session.principal
        account, key = account_of(principal), _digest_of(principal, handle)
        state = _state(session, session.used_s + time.monotonic() - owned.since)
        limits, by_name = (_TTL_MS, self._most_bytes), {k.hex(): v for k, v in images.items()}
        try:
            kept, *missing = await self._link.run(
                scripts.PUT_SNAPSHOT,
                *(account, principal, *state, *limits, key, model, data, *by_name),
            )
            for name in missing:
                image = by_name[name.decode()]
                await self._link.run(scripts.PUT_IMAGE, account, principal, name, *limits, image)
        except StoreAwayError:
            return None
        if kept == b"stale":
            self._end(session.id)
        return handle if kept == b"kept" else None

    async def get(
        self, principal: str, handle: str
    ) -> tuple[str, bytes, Mapping[bytes, bytes]] | None:
        """Return model, history and images behind a handle of ``principal``; None: not known."""
        ask, key = self._link.ask, _handle_key(principal, handle)
        model, data, listed = await ask("HMGET", key, "model", "data", "images")
        if model is None or data is None:
            return None
        digests = (listed or b"").decode().split()
        keys = [f"{PREFIX}image:{principal}:{digest}" for digest in digests]
        images = await ask("MGET", *keys) if keys else []
        found = zip(digests, images, strict=True)
        left = {bytes.fromhex(digest): image for digest, image in found if image is not None}
        return model.decode(), data, left

    def _end(self, session: str) -> None:
        owned = self._owned.pop(session, None)
        if owned is not None:
            owned.end()

    # --- places --------------------------------------------------------------------------------

    async def take_place(self, principal: str, most: int) -> str | None:
        place, account = secrets.token_hex(8), account_of(principal)
        try:
            taken = await self._link.run(scripts.TAKE_PLACE, account, place, most, _PLACE_MS)
        except StoreAwayError:  # then each replica counts its own
            taken = [*self._places.values()].count(account) < most
        if not taken:
            return None
        self._places[place] = account
        return place

    async def give_back(self, place: str) -> None:
        account = self._places.pop(place)
        with contextlib.suppress(StoreAwayError):
            await self._link.ask("ZREM", f"{PREFIX}places:{account}", place)

    # --- the other replicas --------------------------------------------------------------------

    async def watch(self) -> None:
        while not _is_cancelled():
            with contextlib.suppress(StoreAwayError):
                async with self._link.client.pubsub() as claims:
                    with self._link.answering():
                        await claims.subscribe(f"{PREFIX}claims")
                    await self._follow(claims)
            await self._link.pause()

    async def _follow(self, claims: PubSub) -> None:
        """Hear of claims elsewhere and keep the places, as long as the store answers."""
        await self._check_epochs()  # a claim may have been missed
        beat_at = 0.0
        while not _is_cancelled():
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + _HEARTBEAT_S
                held = [text for place, of in self._places.items() for text in (of, place)]
                await self._link.run(scripts.HOLD_PLACES, _PLACE_MS, *held)
            with self._link.answering():
                told = await claims.get_message(
                    ignore_subscribe_messages=True, timeout=_HEARTBEAT_S
                )
            if told is not None:
                session, _, epoch = told["data"].decode().partition(" ")
                self._yield_to(session, int(epoch))

    async def _check_epochs(self) -> None:
        for session in [*self._owned]:
            epoch = await self._link.ask("HGET", f"{PREFIX}session:{session}", "epoch")
            self._yield_to(session, int(epoch or 0))

    def _yield_to(self, session: str, epoch: int) -> None:
        """End the connection that has the session under an epoch before ``epoch``."""
        owned = self._owned.get(session)
        if owned is not None and owned.session.epoch < epoch:
            self._end(session)


@dataclass(frozen=True, slots=True)
class RedisSnapshots:
    """`Snapshots` of one session in a `RedisStore`."""

    store: RedisStore
    session: ResumableSession

    async def put(self, model: str, data: bytes, images: Mapping[bytes, bytes]) -> str | None:
        return await self.store.put(self.session, model, data, images)

    async def get(self, handle: str) -> tuple[str, bytes, Mapping[bytes, bytes]] | None:
        return await self.store.get(self.session.principal, handle)


def _is_cancelled() -> bool:
    """Return whether this task was told to end, of which the library may not have told it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _digest_of(principal: str, handle: str) -> str:
    return hashlib.sha256(f"{principal}\0{handle}".encode(errors="surrogatepass")).hexdigest()


def _handle_key(principal: str, handle: str) -> str:
    return f"{PREFIX}handle:{_digest_of(principal, handle)}"


def _state(session: ResumableSession, lasted_s: float) -> tuple[str | int | float, ...]:
    """Return what the store keeps of a session: id, epoch, time, first image, warning."""
    video_at = "" if session.video_at_s is None else session.video_at_s
    return session.id, session.epoch, lasted_s, video_at, int(session.warned)
