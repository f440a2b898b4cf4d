"""The stages on a cluster: an application for Ray Serve."""
