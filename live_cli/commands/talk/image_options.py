"""Images of a talk, by its settings and its model."""

from typing import TYPE_CHECKING, Final

from live_cli.commands.talk.image_sender import ImageSender
from live_cli.commands.talk.outbox import Outbox
from live_cli.engine.setup.families import find_family
from live_cli.engine.setup.media import ONLY_ACTIVITY, resolution_of
from live_cli.errors import SettingsError
from live_cli.pictures.picture import LONG_SIDE
from live_cli.plan.plan import SessionPlan
from live_cli.settings.schema import Settings, TalkSettings
from live_cli.ui.view import View

if TYPE_CHECKING:
    from live_cli.devices.images.source import ImageSource

CAMERA_SIDE: Final = 768
"""Pixels of an image's longer side where no media resolution is set: one tile of the service."""
NO_COMPRESSION: Final = (
    "With images this session ends after two minutes, since its context is not compressed: "
    "leave --no-compress away to go on for longer."
)


def asks_for_images(options: TalkSettings) -> bool:
    """Return whether images are sent from the start. Raises SettingsError for two sources."""
    if options.camera is not None and options.screen is not None:
        raise SettingsError(
            "--camera and --screen exclude each other: one image a second is all that a session "
            "takes. Leave one away (the settings file may have it, under [talk])."
        )
    return options.camera is not None or options.screen is not None


def image_sender(settings: Settings, plan: SessionPlan, outbox: Outbox, view: View) -> ImageSender:
    """Return what sends the images of a talk as its settings ask, and the first camera's else."""
    options, resolution = settings.talk, settings.session.media_resolution
    camera = (options.camera or "") if options.screen is None else None

    def find_source() -> "ImageSource":
        from live_cli.devices.images.listing import image_source

        return image_source(camera, options.screen)

    limited = plan.kind != "child" and plan.setup.context_window_compression is None
    return ImageSender(
        find_source,
        outbox,
        view,
        role="camera" if options.screen is None else "screen",
        long_side=LONG_SIDE[resolution] if resolution else CAMERA_SIDE,
        tokens=resolution_of(resolution).tokens,
        goes_with_speech=goes_with_speech(settings, plan),
        refusal=plan.blind,
        notes=(NO_COMPRESSION,) if limited else (),
    )


def goes_with_speech(settings: Settings, plan: SessionPlan) -> bool:
    """Return whether the model sees only what comes while the user speaks.

    The local engine keeps the last image before, too.
    """
    family, named = find_family(plan.model.id), settings.vad.turn_coverage
    if family is None or family.is_local:
        return False
    if named is not None:
        return named == "only-activity"
    return family.default_turn_coverage == ONLY_ACTIVITY
