"""Which of the Live API's two dialects, and which version of it, a client speaks. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """Told by the path that a client came in by: some fields exist in some versions only.

    ``vertex``: models are named ``publishers/google/models/…`` and defaults differ (reference §2).
    """

    api_version: str = "v1beta"
    vertex: bool = False
