"""`live-cli devices`: sound devices, cameras and monitors, with the numbers that options take."""

import sys

from live_cli.errors import DeviceError, LiveError
from live_cli.streams import is_terminal
from live_cli.ui.printable import printable
from live_cli.ui.table import TableRow, print_rows


def run(*, json: bool) -> None:
    """Print the devices; what is not there is said on stderr.

    Raises DeviceError without a sound device, or without PortAudio, once the rest is printed.
    """
    failure: LiveError | None = None
    try:
        _print(_sound(json), json)
    except LiveError as exc:
        failure = exc
    for rows in (_cameras, _monitors):
        try:
            _print(rows(json), json, apart=failure is None)
        except LiveError as exc:
            print(printable(str(exc)), file=sys.stderr)
    if failure is not None:
        raise failure


def _print(rows: list[TableRow], json: bool, *, apart: bool = False) -> None:
    if apart and not json and is_terminal(sys.stdout):
        print()
    print_rows(rows, as_json=json)


def _sound(json: bool) -> list[TableRow]:
    from live_cli.devices.listing import SoundDevice, list_devices

    def row(device: SoundDevice) -> TableRow:
        return {
            **({"kind": "sound"} if json else {}),
            "number": device.index,
            "name": device.name,
            "host_api": device.host_api,
            "inputs": device.inputs,
            "outputs": device.outputs,
            "rate_hz": device.default_rate,
            **defaults(device),
        }

    def defaults(device: SoundDevice) -> TableRow:
        if json:
            return {
                "default_input": device.is_default_input,
                "default_output": device.is_default_output,
            }
        marks = {"input": device.is_default_input, "output": device.is_default_output}
        return {"default": ", ".join(name for name, is_default in marks.items() if is_default)}

    found = list_devices()
    if not found:
        raise DeviceError(
            "There are no sound devices here. Plug one in, or use files: "
            "live-cli talk --input question.wav --output answer.wav"
        )
    return [row(device) for device in found]


def _cameras(json: bool) -> list[TableRow]:
    from live_cli.devices.images.camera_devices import NO_CAMERA, list_cameras

    found = list_cameras()
    if not found:
        raise DeviceError(NO_CAMERA)
    if json:
        return [
            {
                "kind": "camera",
                "number": camera.number,
                "name": camera.name,
                "file": camera.file,
                "problem": camera.problem,
            }
            for camera in found
        ]
    return [
        {
            "camera": f"camera {camera.number}",
            "name": camera.name,
            "file": camera.file,
            "problem": camera.problem,
        }
        for camera in found
    ]


def _monitors(json: bool) -> list[TableRow]:
    from live_cli.devices.images.screen import list_monitors

    found = list_monitors()
    if json:
        return [
            {
                "kind": "screen",
                "number": monitor.number,
                "name": monitor.name,
                "width": monitor.width,
                "height": monitor.height,
                "main": monitor.is_main,
            }
            for monitor in found
        ]
    return [
        {
            "screen": f"screen {monitor.number}",
            "name": monitor.name,
            "size": f"{monitor.width}x{monitor.height}",
            "default": "main" if monitor.is_main else "",
        }
        for monitor in found
    ]
