"""`live-cli devices`: microphones and speakers, with the numbers that --input-device takes."""

from live_cli.errors import DeviceError
from live_cli.ui.table import TableRow, print_rows


def run(*, json: bool) -> None:
    """Print the devices. Raises DeviceError without a device, or without PortAudio."""
    from live_cli.devices.listing import SoundDevice, list_devices

    def row(device: SoundDevice) -> TableRow:
        return {
            "number": device.index,
            "name": device.name,
            "host_api": device.host_api,
            "inputs": device.inputs,
            "outputs": device.outputs,
            "rate_hz": device.default_rate,
            **_defaults(device),
        }

    def _defaults(device: SoundDevice) -> TableRow:
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
    print_rows([row(device) for device in found], as_json=json)
