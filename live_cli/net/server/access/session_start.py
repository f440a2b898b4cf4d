"""How a session begins: whose setup it gets, and which session it goes on with. Pure."""

from live_cli.errors import RemoteProtocolError
from live_cli.net.server.access.tokens import Token
from live_cli.net.server.limits.lifetime import ResumableSession, ResumableSessions
from live_cli.protocol.messages import Setup


def start_session(
    asked: Setup, token: Token | None, lineages: ResumableSessions, now: float
) -> tuple[Setup, ResumableSession]:
    """The setup a client really gets, and the session it begins or resumes.

    A new session takes one use of the ``token``, also when its setup is refused later: who holds a
    token may not try out setups with it. To resume a session of its own takes none.
    Raises RemoteProtocolError when the token does not allow it.
    """
    setup = asked if token is None else token.setup_for(asked)
    resumption = setup.session_resumption
    resumed = lineages.find(resumption.handle if resumption else None)
    if token is not None and (resumed is None or resumed.token != token.digest):
        refusal = token.spend(now)
        if refusal is not None:
            raise RemoteProtocolError(refusal.reason, refusal.code)
    return setup, resumed or ResumableSession(token=token.digest if token else None)
