"""Whether a call may run: what the person said before, what was allowed beforehand, or ask. Pure.

Rules, the first that fits decides:

1. A tool that the person refused for the session is refused.
2. A tool that the person allowed for the session, or that a pattern of ``--allow`` names, runs.
3. Of a server that its configuration trusts, a tool runs that says it only reads; where nobody can
   be asked, any tool does.
4. Everything else is asked; where nobody can be asked, it is refused.

What a tool of any other server says of itself decides nothing. A yes for the session holds for the
tool as it was declared: one that its server has changed since is asked about again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from live_cli.tools.tool import ClientTool


class Verdict(Enum):
    """What becomes of a call."""

    RUN = auto()
    ASK = auto()
    REFUSE = auto()


class ConsentAnswer(Enum):
    """What the person answers, by the key that means it."""

    ONCE = "y"
    SESSION = "a"
    NO = "n"
    NEVER = "N"

    @property
    def allows(self) -> bool:
        """Return whether the call that was asked about runs."""
        return self in (ConsentAnswer.ONCE, ConsentAnswer.SESSION)


@dataclass(slots=True)
class Consent:
    """The decisions of one session.

    ``allowed``: patterns of tools' names, of servers' names, or of ``server__tool``, with ``*`` and
    ``?``. ``can_ask``: whether there is a person with a keyboard.
    """

    allowed: Sequence[str] = ()
    can_ask: bool = True
    _answers: dict[str, tuple[ConsentAnswer, ClientTool]] = field(default_factory=dict)

    def verdict(self, tool: ClientTool) -> Verdict:
        """Return what becomes of a call of ``tool``."""
        match self._answers.get(tool.name):
            case ConsentAnswer.NEVER, _:
                return Verdict.REFUSE
            case ConsentAnswer.SESSION, known if known == tool:
                return Verdict.RUN
            case _:
                pass
        if any(tool.fits(pattern) for pattern in self.allowed):
            return Verdict.RUN
        if tool.trusted and (tool.reads_only or not self.can_ask):
            return Verdict.RUN
        return Verdict.ASK if self.can_ask else Verdict.REFUSE

    def note(self, tool: ClientTool, answer: ConsentAnswer) -> None:
        """Keep an answer that holds for the session."""
        if answer in (ConsentAnswer.SESSION, ConsentAnswer.NEVER):
            self._answers[tool.name] = (answer, tool)
