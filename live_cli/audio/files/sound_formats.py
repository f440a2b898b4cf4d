"""The sound formats that can be written, by the suffix of a file's name."""

SOUND_FORMATS: dict[str, tuple[str, str] | None] = {
    ".wav": None,
    ".wave": None,
    ".flac": ("FLAC", "PCM_16"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".ogg": ("OGG", "VORBIS"),
    ".oga": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
}
"""Suffix -> libsndfile's names of container and coding; None is WAV, which is written here."""
