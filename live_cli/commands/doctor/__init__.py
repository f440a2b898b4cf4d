"""`live-cli doctor`: checks of settings, engine, server and sound devices."""
