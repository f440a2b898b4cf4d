"""Two running servers for all the SDKs: scripted, and with real ears and a real mouth."""

from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from tests.harness.sdks import SCRIPTED, Serving, serving_sdks, write_sounds
from tests.harness.speech import QUESTION, speech_like

ANSWER = "A dog has four legs."


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Hears "Hello." in whatever is said, and answers "Good day."; strict about every field."""
    home = tmp_path_factory.mktemp("scripted")
    write_sounds(home, np.concatenate([speech_like(1.0), np.zeros(24_000, np.float32)]))
    strict = {"LIVE_CLI_SERVE_STRICT": "true"}
    with serving_sdks(
        home, **SCRIPTED, **strict, LIVE_CLI_ENGINE_CHAT="scripted:Good day."
    ) as running:
        yield running


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Hears and speaks in earnest; only what it answers is scripted: ANSWER."""
    home = tmp_path_factory.mktemp("spoken")
    samples, _ = soundfile.read(QUESTION, dtype="float32")
    write_sounds(home, np.concatenate([samples, np.zeros(24_000, np.float32)]))
    with serving_sdks(home, LIVE_CLI_ENGINE_CHAT=f"scripted:{ANSWER}") as running:
        yield running
