"""The environment of a child process: what any program needs, and the keys it was promised. Pure.

A child listens and runs native libraries; a key that it has no use for is one more place that may
lose it. What it gets is therefore named here, and all else stays with the parent: variables that
hold credentials have a thousand names.
"""

import re
from collections.abc import Collection, Mapping

_NAMES = {
    # where things are, in which language and zone
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "LANG", "LANGUAGE", "TZ", "TERM",
    "TMPDIR", "TMP", "TEMP", "VIRTUAL_ENV",
    # Windows
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "USERPROFILE", "USERNAME",
    "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "HOMEDRIVE",
    "HOMEPATH", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "PROCESSOR_IDENTIFIER",
    # the network
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
}  # fmt: skip
_PREFIXES = (
    "LC_", "XDG_", "PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_",
    # native libraries and how many threads they take
    "ORT_", "ONNX", "GGML_", "LLAMA_", "CT2_", "OMP_", "GOMP_", "KMP_", "MKL_",
    "OPENBLAS_", "GOTO_", "BLIS_", "VECLIB_", "NUMEXPR_",
    # accelerators
    "CUDA_", "NVIDIA_", "HIP_", "HSA_", "ROCR_", "ROCM_", "VK_", "MTL_", "METAL_",
)  # fmt: skip
_NAMED_LIKE_A_KEY = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE", re.IGNORECASE)
_WITH_PASSWORD = re.compile(r"[^/\s]*(//)?[^/\s]*@")
"""The value of a proxy whose address carries who may use it."""


def child_environment(environ: Mapping[str, str], promised: Collection[str]) -> dict[str, str]:
    """Return the part of ``environ`` that a child gets.

    ``promised``: names of variables that it gets whatever they hold, upper and lower case aside.
    """
    wanted = {name.upper() for name in promised}
    return {
        name: value
        for name, value in environ.items()
        if name.upper() in wanted or _is_harmless(name.upper(), value)
    }


def _is_harmless(name: str, value: str) -> bool:
    if name not in _NAMES and not name.startswith(_PREFIXES):
        return False
    if name.endswith("_PROXY"):
        return not _WITH_PASSWORD.match(value)
    return not _NAMED_LIKE_A_KEY.search(name)
