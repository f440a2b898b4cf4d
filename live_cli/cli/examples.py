"""Examples of command lines, shown at the end of each ``--help``."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "live-cli talk",
        'live-cli text "How many legs does a dog have?"',
        "live-cli transcribe interview.mp3 --format srt --output interview.srt",
    ),
    "talk": (
        "live-cli talk --voice Kore --system @tutor.txt",
        "live-cli talk --input question.wav --output answer.wav",
        "live-cli talk --camera",
    ),
    "text": (
        'live-cli text "How many legs does a dog have?"',
        'live-cli text --image cat.jpg "What is this?"',
        "cat questions.txt | live-cli text > answers.txt",
    ),
    "transcribe": (
        "live-cli transcribe interview.mp3 > interview.txt",
        "live-cli transcribe talks/*.wav --format srt --output subtitles/",
    ),
    "serve": (
        "live-cli serve &",
        'eval "$(live-cli serve --print-env)" && python your_program.py',
    ),
    "stages": ("live-cli stages", "live-cli stages transcriber synthesizer --port 8766"),
    "tools": ("live-cli tools --tools house.py --mcp servers.json",),
    "tools call": ('live-cli tools call lamp \'{"room": "hall"}\' --tools house.py',),
    "devices": ("live-cli devices",),
    "doctor": ("live-cli doctor --audio", "live-cli doctor --video"),
    "voices": ("live-cli voices",),
    "languages": ("live-cli languages --json",),
    "models": ("live-cli models",),
    "models pull": ("live-cli models pull qwen2.5-0.5b",),
    "config": ("live-cli config init",),
    "config path": ("live-cli config path",),
    "config show": ("live-cli config show --profile patient",),
    "config init": ("live-cli config init",),
    "config check": ("live-cli config check --config my.toml",),
    "help": ("live-cli help models pull",),
}
"""By the words of the command after ``live-cli``; as a person would type them into a shell."""
