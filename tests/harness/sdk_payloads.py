"""What the official SDKs really send, as it was recorded: payloads and requests for tokens."""

from tests.harness.places import GOLDEN


def _payloads() -> dict[str, str]:
    payloads = {}
    for path in sorted(GOLDEN.glob("golden_*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, payload = line.partition(": ")
            if name[:2] in ("S ", "M ") and payload.startswith("{"):
                payloads[f"{path.stem.removeprefix('golden_')}/{name}"] = payload
    return payloads


PAYLOADS = _payloads()
"""The JSON of each payload, by SDK and name."""


def token_requests() -> list[tuple[str, str]]:
    """Path and body of each POST that asks for a token."""
    text = (GOLDEN / "auth_tokens_requests.txt").read_text(encoding="utf-8")
    requests = text.split("POST ")[1:]
    return [(each.split()[0], each.partition("    body ")[2].strip()) for each in requests]
