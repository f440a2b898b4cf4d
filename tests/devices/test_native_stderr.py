"""What C code writes to descriptor 2 stays away; what Python writes arrives."""

import subprocess
import sys

PROGRAM = """
import os, sys
from live_cli.devices.native_stderr import native_stderr_silenced
os.write(2, b"1 native before\\n")
with native_stderr_silenced():
    os.write(2, b"2 native inside\\n")
    print("3 python inside", file=sys.stderr)
    with native_stderr_silenced():
        os.write(2, b"4 native nested\\n")
        print("5 python nested", file=sys.stderr)
    os.write(2, b"6 native inside again\\n")
    print("7 python inside again", file=sys.stderr)
os.write(2, b"8 native after\\n")
print("9 python after", file=sys.stderr)
try:
    with native_stderr_silenced():
        raise ValueError
except ValueError:
    os.write(2, b"10 after an error\\n")
"""


def test_only_native_writes_are_silenced() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    numbers = [line.split()[0] for line in done.stderr.splitlines()]
    assert numbers == ["1", "3", "5", "7", "8", "9", "10"]


def test_a_closed_stderr_is_left_alone() -> None:
    program = """
import os
from live_cli.devices.native_stderr import native_stderr_silenced
os.close(2)
with native_stderr_silenced():
    print("went on")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "went on\n"
