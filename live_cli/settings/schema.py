"""All settings as frozen dataclasses: each field has its rule, its default and its option.

A setting's place is its name everywhere: ``silence_ms`` in the file, ``LIVE_CLI_SILENCE_MS`` in
the environment, ``--silence-ms`` on the command line; ``[serve] port``, ``LIVE_CLI_SERVE_PORT``
and ``--port``.
Keys are no settings: they come from the environment or from a file of their own, never from the
command line, and no repr or error shows them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from live_cli.catalog import BUILT_IN_TOOLS
from live_cli.loopback import LOOPBACK_ADDRESS
from live_cli.prices import Prices
from live_cli.settings.rules import (
    BackendName,
    Boolean,
    Choice,
    DeviceName,
    HostNames,
    ImageDevice,
    LanguageCode,
    ModelId,
    Origins,
    ServerAddress,
    Text,
    Texts,
    ToolNames,
    ValueRule,
    VoiceName,
    VoiceTable,
    WholeNumber,
)
from live_cli.settings.store_address import MEMORY, StoreAddress
from live_cli.settings.toml_file import KeyPath
from live_cli.settings.tool_tables import ToolTable


@dataclass(frozen=True, slots=True)
class Option:
    """The command line's option for a setting; its flag follows from the key.

    ``heading``: where ``--help`` lists the option. ``verbs``: the commands that have it.
    ``metavar``: the value's name in ``--help``, None for a switch. ``one_way``: a switch that only
    leaves the default, without the spelling that returns to it. ``late``: listed after the options
    of the same heading that are not late. ``flag``: where the key's own spelling is not the flag.
    """

    heading: str
    help: str
    metavar: str | None = None
    verbs: tuple[str, ...] = ("talk", "text")
    one_way: bool = False
    late: bool = False
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its path in the file, the group that holds it, its rule, default and option."""

    path: KeyPath
    group: str | None
    rule: ValueRule
    default: Any
    option: Option | None

    @property
    def name(self) -> str:
        """The key as `load` takes it and the file spells it: ``voice``, ``serve.port``."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """The environment variable: ``LIVE_CLI_VOICE``, ``LIVE_CLI_SERVE_PORT``."""
        return "LIVE_CLI_" + "_".join(self.path).upper()

    @property
    def flag(self) -> str:
        """The long option: ``--silence-ms``. A list's items come singly: ``--allow-origin``."""
        if self.option and self.option.flag:
            return self.option.flag
        name = self.path[-1].replace("_", "-")
        return f"--{name.removesuffix('s') if self.is_list else name}"

    @property
    def words(self) -> tuple[str, ...]:
        """The words that it may be, or the known ones, for a shell to complete; mostly none."""
        return getattr(self.rule, "words", ())

    @property
    def is_list(self) -> bool:
        """Return whether the option may be given more than once."""
        return isinstance(self.default, tuple)


def _setting(rule: ValueRule, default: Any = None, option: Option | None = None) -> Any:
    return field(default=default, metadata={"rule": rule, "option": option})


_HIGH_LOW = Choice(("high", "low"))
AUTO_DENOISE = "auto"
_DENOISE = Choice((AUTO_DENOISE, "on", "off"))

_TALK, _SERVE = ("talk",), ("serve",)
_SERVERS = ("serve", "stages")
_SPEECH = ("talk", "text", "transcribe")

_connection = partial(Option, "Connection")
_session = partial(Option, "Session")
_thinking = partial(Option, "Thinking")
_voice_activity = partial(Option, "Voice activity", verbs=_TALK)
_devices = partial(Option, "Devices", verbs=_TALK)
_images = partial(Option, "Images", verbs=_TALK)
_tools = partial(Option, "Tools", verbs=("talk", "text", "tools"))
_captions = partial(Option, "Captions", verbs=("transcribe",))
_listening = partial(Option, "Connection", verbs=_SERVE)


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The wishes to a session. None: the server's or the model's own choice.

    ``system`` is the text itself: an ``@FILE`` has been read. ``thinking_budget`` counts tokens;
    0 is off, -1 automatic. ``reconnect_s``: how long a lost connection is tried again. ``stall_s``
    and ``stall_reconnect_s``: silence of the server while an answer is awaited, until it is said,
    and until the connection is made anew; 0 is never.
    """

    model: str | None = _setting(
        ModelId(),
        option=_connection("Model to use; the default suits the rest.", "ID", verbs=_SPEECH),
    )
    api_version: str | None = _setting(
        Choice(("v1beta", "v1alpha")),
        option=_connection(
            "Chosen by itself when a feature needs v1alpha.", "v1beta|v1alpha", verbs=_SPEECH
        ),
    )
    voice: str | None = _setting(
        VoiceName(),
        option=_session("One of thirty: see live-cli voices.", "NAME"),
    )
    language: str | None = _setting(
        LanguageCode(),
        option=_session("One of seventy (live-cli languages), or auto.", "CODE", verbs=_SPEECH),
    )
    system: str | None = _setting(
        Text("text, or @ and the name of a file"),
        option=_session("System instruction.", "TEXT|@FILE"),
    )
    modality: str | None = _setting(
        Choice(("audio", "text")), option=_session("What the model answers in.", "audio|text")
    )
    input_transcript: bool = _setting(
        Boolean(),
        True,
        _session("Write down what you say (on by default).", verbs=_TALK, late=True),
    )
    output_transcript: bool = _setting(
        Boolean(), True, _session("Write down what the model says (on by default).")
    )
    affective: bool = _setting(Boolean(), False, _session("Answer in the tone it hears."))
    proactive: bool = _setting(Boolean(), False, _session("Let the model decide not to answer."))
    thinking_budget: int | None = _setting(
        WholeNumber(-1, 1_000_000),
        option=_thinking("Tokens for thinking; 0 off, -1 automatic.", "N"),
    )
    thinking_level: str | None = _setting(
        Choice(("minimal", "low", "medium", "high")),
        option=_thinking("How much: minimal, low, medium or high.", "LEVEL"),
    )
    show_thoughts: bool = _setting(Boolean(), False, _thinking("Show summaries of the thinking."))
    media_resolution: str | None = _setting(
        Choice(("low", "medium", "high")),
        option=_session("Resolution of images.", "low|medium|high", late=True),
    )
    resume: bool = _setting(
        Boolean(), True, _connection("Ask for no resumption handles.", one_way=True)
    )
    compress: bool = _setting(
        Boolean(), True, _connection("Do not compress a full context.", one_way=True)
    )
    reconnect_s: int = _setting(WholeNumber(1, 86_400), 300)
    stall_s: int = _setting(WholeNumber(0, 3600), 8)
    stall_reconnect_s: int = _setting(WholeNumber(0, 3600), 20)


@dataclass(frozen=True, slots=True)
class VoiceActivitySettings:
    """When the user counts as speaking. None: the server's own choice."""

    start_sensitivity: str | None = _setting(
        _HIGH_LOW, option=_voice_activity("How soon speech starts.", "high|low")
    )
    end_sensitivity: str | None = _setting(
        _HIGH_LOW, option=_voice_activity("How soon speech has ended.", "high|low")
    )
    prefix_padding_ms: int | None = _setting(
        WholeNumber(0, 5_000),
        option=_voice_activity("Milliseconds of speech before a start counts.", "N"),
    )
    silence_ms: int | None = _setting(
        WholeNumber(20, 10_000),
        option=_voice_activity("Milliseconds of silence that end speech.", "N"),
    )
    interruption: bool = _setting(
        Boolean(), True, _voice_activity("Let your voice interrupt the answer (on by default).")
    )
    turn_coverage: str | None = _setting(
        Choice(("only-activity", "all-input", "audio-activity-and-all-video")),
        option=_voice_activity(
            "What a turn holds: only-activity, all-input or audio-activity-and-all-video.", "WHAT"
        ),
    )
    push_to_talk: bool = _setting(
        Boolean(),
        False,
        _voice_activity("Speak while the space bar says so; no voice activity detection."),
    )


@dataclass(frozen=True, slots=True)
class TalkSettings:
    """Sound devices, what is done about echo, what the model is shown, the folder for recordings.

    ``camera``, ``screen``: "" is the first one; None is neither. Images are sent from the start
    where one of them is set.
    """

    input_device: str | None = _setting(
        DeviceName("a part of a device's name"),
        option=_devices(
            "Microphone: a number or a part of its name.", "DEVICE", verbs=("talk", "doctor")
        ),
    )
    output_device: str | None = _setting(
        DeviceName("a part of a device's name"),
        option=_devices(
            "Speaker: a number or a part of its name.", "DEVICE", verbs=("talk", "doctor")
        ),
    )
    echo_cancel: bool = _setting(
        Boolean(),
        True,
        _devices("Send the microphone as it is, also while the model is heard.", one_way=True),
    )
    half_duplex: bool = _setting(
        Boolean(),
        False,
        _devices(
            "Send silence while the model is heard, for rooms where nothing else helps.",
            one_way=True,
        ),
    )
    denoise: str = _setting(
        _DENOISE,
        AUTO_DENOISE,
        _devices("Take noise out of what is sent: where it is loud (auto), on, off.", "WHEN"),
    )
    camera: str | None = _setting(
        ImageDevice("a part of a camera's name, or a file or folder of pictures"),
        option=_images(
            "Show the model what a camera sees: the first, or one by name or number; or a video, "
            "or a folder of pictures.",
            "[CAMERA]",
        ),
    )
    screen: str | None = _setting(
        ImageDevice("a part of a monitor's name"),
        option=_images("Show the model a screen: the main one, or another.", "[MONITOR]"),
    )
    preview: bool = _setting(
        Boolean(),
        True,
        _images("Show only in words which images are sent.", one_way=True),
    )
    record: str | None = _setting(
        Text("the name of a folder"),
        option=_session("Keep sound, events and words as files.", "FOLDER", verbs=_TALK, late=True),
    )


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """The functions of the model. ``tools``: the service's own by name, and Python files.

    ``mcp_files``: MCP servers as other programs have them configured. ``allow``: patterns of tools
    and servers that run unasked. ``say_first``: is sent before the user speaks, so that the model
    begins.
    """

    tools: tuple[str, ...] = _setting(
        ToolNames("search, code-execution, url-context, maps or a Python file", BUILT_IN_TOOLS),
        (),
        _tools("Functions of a Python file; may be repeated.", "FILE.py", flag="--tools"),
    )
    mcp_files: tuple[str, ...] = _setting(
        Texts("the name of a file with mcpServers"),
        (),
        _tools("MCP servers, as other programs have them.", "FILE", flag="--mcp"),
    )
    allow: tuple[str, ...] = _setting(
        Texts("names of tools or servers, with * and ?"),
        (),
        _tools("Run these unasked: a tool, a server, a pattern.", "PATTERN"),
    )
    say_first: str | None = _setting(
        Text("text"),
        option=_session("Send this first, so that the model begins.", "TEXT", late=True),
    )


@dataclass(frozen=True, slots=True)
class TranscribeSettings:
    """The captions of SRT and WebVTT: what fits on a screen, and what can be read in time.

    The defaults are the common ones of broadcasters and streaming services.
    """

    max_line_length: int = _setting(
        WholeNumber(8, 200), 42, _captions("Characters in a line of a caption (42).", "N")
    )
    max_lines: int = _setting(WholeNumber(1, 10), 2, _captions("Lines of a caption (2).", "N"))
    max_characters_per_s: int = _setting(WholeNumber(5, 100), 20)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The implementation of each stage of the local engine.

    ``device``: what Whisper computes on. ``threads``: those of the chat model; 0 is one less than
    the cores, at least one. ``voices``: what voices are called at a synthesizer elsewhere, as
    NAME=VOICE.
    """

    detector: str = _setting(Text("a detector's name"), "silero")
    transcriber: str = _setting(
        BackendName("a transcriber's name or openai:URL#MODEL", key="TRANSCRIBER_API_KEY"),
        "moonshine",
    )
    chat: str = _setting(
        BackendName("a chat model's name, gguf:PATH, ollama:MODEL or openai:URL#MODEL"),
        "gguf",
        _connection(
            "Chat model of the local engine (live-cli models).",
            "NAME",
            verbs=("talk", "text", "serve"),
        ),
    )
    synthesizer: str = _setting(
        BackendName("a synthesizer's name or openai:URL#VOICE", key="SYNTHESIZER_API_KEY"),
        "hibari",
    )
    voices: tuple[str, ...] = _setting(VoiceTable(), ())
    end_of_turn: str = _setting(Text("semantic or silence"), "semantic")
    barge_in: str = _setting(Choice(("words", "sound")), "words")
    denoise: str = _setting(_DENOISE, AUTO_DENOISE)
    device: str = _setting(Choice(("cpu", "cuda")), "cpu")
    threads: int = _setting(WholeNumber(0, 256), 0)


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """The address and the limits of `live-cli serve`.

    ``port`` 0 is a free one. ``tls_cert`` and ``tls_key`` go together; without them `serve` makes
    a certificate, which also has ``tls_names``. ``parallel``: replies that a chat model in this
    process generates side by side.
    """

    host: str = _setting(
        Text("a host name or address"),
        LOOPBACK_ADDRESS,
        _listening(
            "Address to listen at (127.0.0.1); another needs a key.", "HOST", verbs=_SERVERS
        ),
    )
    port: int = _setting(
        WholeNumber(0, 65_535),
        8765,
        _listening("Port to listen at (8765); 0: a free one.", "N", verbs=_SERVERS),
    )
    strict: bool = _setting(
        Boolean(), False, _listening("Refuse fields that are not known.", one_way=True)
    )
    tls_cert: str | None = _setting(Text("the name of a file"))
    tls_key: str | None = _setting(Text("the name of a file"))
    tls_names: tuple[str, ...] = _setting(HostNames(), ())
    allow_origins: tuple[str, ...] = _setting(
        Origins(),
        (),
        _listening("Let in web pages of https://HOST too; may be repeated.", "ORIGIN", late=True),
    )
    connection_limit_s: int = _setting(WholeNumber(0, 86_400), 600)
    audio_session_limit_s: int = _setting(WholeNumber(0, 86_400), 900)
    video_session_limit_s: int = _setting(WholeNumber(0, 86_400), 120)
    go_away_s: int = _setting(WholeNumber(0, 3600), 60)
    grace_s: int = _setting(WholeNumber(0, 600), 5)
    drain_s: int = _setting(WholeNumber(0, 86_400), 0)
    store: str = _setting(StoreAddress(), MEMORY)
    store_password_file: str | None = _setting(Text("the name of a file"))
    max_stored_bytes: int = _setting(WholeNumber(65_536, 1_000_000_000_000), 67_108_864)
    max_connections: int = _setting(WholeNumber(1, 100_000), 500)
    max_connections_per_address: int = _setting(WholeNumber(0, 100_000), 250)
    max_sessions: int = _setting(
        WholeNumber(1, 10_000), 16, _listening("Sessions at a time (16).", "N")
    )
    max_sessions_per_key: int = _setting(WholeNumber(0, 1_000_000), 0)
    max_auth_tokens: int = _setting(WholeNumber(0, 100_000), 1000)
    max_wrong_keys_per_min: int = _setting(WholeNumber(0, 1_000_000), 10)
    max_message_bytes: int = _setting(WholeNumber(1024, 900_000_000), 16_777_216)
    max_setup_bytes: int = _setting(WholeNumber(1024, 900_000_000), 1_048_576)
    max_stranger_bytes: int = _setting(WholeNumber(1024, 900_000_000), 65_536)
    max_held_bytes: int = _setting(WholeNumber(1024, 900_000_000), 16_777_216)
    max_small_messages_per_s: int = _setting(WholeNumber(0, 1_000_000), 1000)
    parallel: int = _setting(WholeNumber(1, 64), 8)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, merged. ``config_path``: the file that was read, if any.

    ``prices``: by a model's id, from the file alone (``[prices."MODEL"]``). ``mcp``: MCP
    servers by name, from the file alone (``[mcp.NAME]``), with the fields of ``mcpServers``.
    ``tool``: what is set for single tools, by name or pattern, from the file alone
    (``[tool.NAME]``).

    ``gemini_key`` comes from GEMINI_API_KEY, GOOGLE_API_KEY or ``api_key_file``, the first that is
    there. ``server_key``, for a server by address and for `serve`, comes from LIVE_CLI_KEY or
    ``server_key_file``.
    """

    server: str = _setting(
        ServerAddress("auto, gemini, local or an address such as host:8765"),
        "auto",
        _connection("auto, gemini, local or an address.", "WHERE", verbs=(*_SPEECH, "doctor")),
    )
    usage: bool = _setting(Boolean(), False, _session("Show token counts as they come.", late=True))
    api_key_file: str | None = _setting(Text("the name of a file"))
    server_key_file: str | None = _setting(Text("the name of a file"))
    session: SessionSettings = field(default_factory=SessionSettings)
    vad: VoiceActivitySettings = field(default_factory=VoiceActivitySettings)
    talk: TalkSettings = field(default_factory=TalkSettings)
    tools: ToolSettings = field(default_factory=ToolSettings)
    transcribe: TranscribeSettings = field(default_factory=TranscribeSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    prices: Mapping[str, Prices] = field(default_factory=dict)
    mcp: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    tool: Mapping[str, ToolTable] = field(default_factory=dict)
    gemini_key: str | None = field(default=None, repr=False)
    gemini_key_source: str | None = None
    server_key: str | None = field(default=None, repr=False)
    config_path: Path | None = None
    profile: str | None = None


TABLES = ("talk", "transcribe", "engine", "serve")
"""Groups that are tables in the file; the keys of the other groups stand at its top."""


def _all_settings() -> Iterator[Setting]:
    groups: tuple[tuple[str | None, Any], ...] = (
        (None, Settings),
        ("session", SessionSettings),
        ("vad", VoiceActivitySettings),
        ("talk", TalkSettings),
        ("tools", ToolSettings),
        ("transcribe", TranscribeSettings),
        ("engine", EngineSettings),
        ("serve", ServeSettings),
    )
    for group, kind in groups:
        table = (group,) if group in TABLES else ()
        for each in fields(kind):
            if "rule" in each.metadata:
                default = None if each.default is MISSING else each.default
                yield Setting((*table, each.name), group, default=default, **each.metadata)


SETTINGS: dict[KeyPath, Setting] = {setting.path: setting for setting in _all_settings()}
"""Every setting by its path in the file, in the order of the groups and their fields."""
