"""What an ephemeral token has decided of a session's setup, held against all later messages. Pure.

Two kinds of client message change a session's setup after it began: contextUpdate replaces the
system instruction or the tools, and on Vertex AI a turn of clientContent in the role ``system``
replaces the system instruction. All others add to the conversation alone. A field of which the
mask names a part is locked as a whole, since an update replaces it as a whole: the SDKs lock
``systemInstruction.parts`` and ``systemInstruction.role``.

Source: the table of `field_mask`, and Live API reference, §2.5, §2.8 and §4.13.
"""

from typing import Final

from live_cli.errors import RemoteProtocolError
from live_cli.protocol.events import ContentReceived, ContextUpdated, Event
from live_cli.protocol.field_mask import FieldPath
from live_cli.protocol.messages import Setup

_SYSTEM_ROLE: Final = "system"
ALL_LOCKED: Final = "This session's token fixes its whole setup: no contextUpdate is taken."


class SetupLocks:
    """The fields of a setup that a token with this ``setup`` and ``mask`` keeps to itself."""

    def __init__(self, setup: Setup | None, mask: tuple[FieldPath, ...]) -> None:
        self._all = setup is not None and not mask
        self._fields = frozenset(path[0] for path in mask)

    def check(self, event: Event) -> None:
        """Raise RemoteProtocolError where an event of the client changes what is locked."""
        match event:
            case ContextUpdated() if self._all:
                raise RemoteProtocolError(ALL_LOCKED)
            case ContextUpdated(system_instruction, tools):
                if system_instruction is not None:
                    self._check_field("system_instruction", "systemInstruction")
                if tools is not None:
                    self._check_field("tools", "tools")
            case ContentReceived(turns, _):
                roles = {(turn.role or "").strip().lower() for turn in turns}
                if _SYSTEM_ROLE in roles:
                    self._check_field("system_instruction", "systemInstruction")

    def _check_field(self, name: str, spelled: str) -> None:
        if self._all or name in self._fields:
            raise RemoteProtocolError(f"This session's token fixes {spelled}: it stays as it is.")


NO_LOCKS: Final = SetupLocks(None, ())
"""Those of a session without a token."""
