"""THE MIND: what answers inside `live-cli serve`."""
