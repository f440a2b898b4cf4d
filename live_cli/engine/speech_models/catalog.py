"""The transcribers and voices that `models pull` fetches: pinned files, each folder one model.

Sizes and hashes are those that at least two public sources give independently of each other.
"""

from dataclasses import dataclass

from live_cli.engine.backends.table import Stage
from live_cli.engine.chat_models.lookup import PinnedFile

_HUB = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class PinnedFolder:
    """A model of several files, by their names in its folder; ``about``: its use and licence."""

    name: str
    stage: Stage
    about: str
    files: dict[str, PinnedFile]

    @property
    def size(self) -> int:
        """The bytes of all its files."""
        return sum(file.size for file in self.files.values())


def _folder(
    name: str, stage: Stage, about: str, base: str, files: dict[str, tuple[int, str]]
) -> PinnedFolder:
    pinned = {each: PinnedFile(f"{base}/{each}", *figures) for each, figures in files.items()}
    return PinnedFolder(name, stage, about, pinned)


_V2_TOKENS = {
    "tokenizer.json": (
        2_203_239,
        "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    ),
    "vocabulary.txt": (459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
}
"""Of all multilingual Whisper models before large-v3."""

WHISPER_BASE, KOKORO = "whisper-base", "kokoro"
KOKORO_MODEL, KOKORO_VOICES = "kokoro-v1.0.int8.onnx", "voices-v1.0.bin"

SPEECH_MODELS: dict[str, PinnedFolder] = {
    folder.name: folder
    for folder in (
        _folder(
            WHISPER_BASE,
            Stage.TRANSCRIBER,
            "hears 83 of the languages; quick on two cores (MIT)",
            f"{_HUB}/Systran/faster-whisper-base/resolve/ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
            {
                "model.bin": (
                    145_217_532,
                    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                ),
                "config.json": (
                    2_309,
                    "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                ),
                **_V2_TOKENS,
            },
        ),
        _folder(
            "whisper-small",
            Stage.TRANSCRIBER,
            "hears them better; for four cores, or where nobody waits (MIT)",
            f"{_HUB}/Systran/faster-whisper-small/resolve/536b0662742c02347bc0e980a01041f333bce120",
            {
                "model.bin": (
                    483_546_902,
                    "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
                ),
                "config.json": (
                    2_370,
                    "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828",
                ),
                **_V2_TOKENS,
            },
        ),
        _folder(
            "whisper-large-v3-turbo",
            Stage.TRANSCRIBER,
            "hears them best; for eight cores and 4 GB (MIT)",
            f"{_HUB}/mobiuslabsgmbh/faster-whisper-large-v3-turbo/resolve/"
            "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf",
            {
                "model.bin": (
                    1_617_884_929,
                    "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da",
                ),
                "config.json": (
                    2_263,
                    "b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e",
                ),
                "preprocessor_config.json": (
                    340,
                    "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711",
                ),
                "tokenizer.json": (
                    2_710_337,
                    "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd",
                ),
                "vocabulary.json": (
                    1_068_114,
                    "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1",
                ),
            },
        ),
        _folder(
            KOKORO,
            Stage.SYNTHESIZER,
            "speaks Spanish, French, Italian, Portuguese, Japanese and Chinese (Apache-2.0)",
            "https://github.com/thewh1teagle/kokoro-onnx/releases/download/model-files-v1.0",
            {
                KOKORO_MODEL: (
                    92_361_271,
                    "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
                ),
                KOKORO_VOICES: (
                    28_214_398,
                    "bca610b8308e8d99f32e6fe4197e7ec01679264efed0cac9140fe9c29f1fbf7d",
                ),
            },
        ),
    )
}
