"""Decides which setup a session gets and whether it resumes an earlier session."""

from live_cli.errors import RemoteProtocolError
from live_cli.net.server.access.principal import Principal
from live_cli.net.server.access.tokens import Token
from live_cli.net.server.limits.lifetime import ResumableSession
from live_cli.net.server.store.session_store import SessionStore
from live_cli.protocol.messages import Setup


async def start_session(
    requested: Setup, token: Token | None, principal: Principal, store: SessionStore
) -> tuple[Setup, ResumableSession]:
    """Return the setup after the token's constraints, and the session it begins or resumes.

    A new session takes one use of the ``token``, also when the engine refuses its setup later:
    a token must not serve to try out setups. To resume a session begun with it takes none.
    A handle that another principal got is not known. Raises RemoteProtocolError when the token does
    not allow the session, and StoreAwayError.
    """
    setup = requested if token is None else token.setup_for(requested)
    resumption = setup.session_resumption
    handle = resumption.handle if resumption else None
    resumed = await store.find(principal.id, handle) if handle else None
    if token is not None and resumed is None:
        refusal = await store.spend(token)
        if refusal is not None:
            raise RemoteProtocolError(refusal.reason, refusal.code)
    return setup, resumed or ResumableSession(principal.id)
