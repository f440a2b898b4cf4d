"""Function calls written as the Python that the half-cascade models write them in. Pure.

On the Gemini API the service shows that code before the call (recorded frames; reference §9).
"""

from collections.abc import Sequence

from live_cli.engine.stages import ToolUse


def python_of(calls: Sequence[ToolUse]) -> str:
    """Return a line for each call, such as ``print(default_api.set_light(room='hall', on=True))``.

    A call with an argument that is no name of Python gives them all as ``**{…}``.
    """
    return "\n".join(f"print(default_api.{call.name}({_arguments(call)}))" for call in calls)


def _arguments(call: ToolUse) -> str:
    given = call.arguments
    if all(name.isidentifier() for name in given):
        return ", ".join(f"{name}={value!r}" for name, value in given.items())
    return f"**{given!r}"
