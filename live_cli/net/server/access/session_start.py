"""Decides which setup a session gets and whether it resumes an earlier session. Pure."""

from live_cli.errors import RemoteProtocolError
from live_cli.net.server.access.principal import Principal
from live_cli.net.server.access.tokens import Token
from live_cli.net.server.limits.lifetime import ResumableSession, ResumableSessions
from live_cli.protocol.messages import Setup


def start_session(
    requested: Setup,
    token: Token | None,
    principal: Principal,
    sessions: ResumableSessions,
    now: float,
) -> tuple[Setup, ResumableSession]:
    """Return the setup after the token's constraints, and the session it begins or resumes.

    A new session takes one use of the ``token``, also when the engine refuses its setup later:
    a token must not serve to try out setups. To resume a session begun with it takes none.
    A handle that another principal got is not known. Raises RemoteProtocolError when the token does
    not allow the session.
    """
    setup = requested if token is None else token.setup_for(requested)
    resumption = setup.session_resumption
    resumed = sessions.find(principal.id, resumption.handle if resumption else None)
    if token is not None and resumed is None:
        refusal = token.spend(now)
        if refusal is not None:
            raise RemoteProtocolError(refusal.reason, refusal.code)
    return setup, resumed or ResumableSession(principal.id)
