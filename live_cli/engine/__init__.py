"""A local engine for the Live API: speech stages, the sessions that run on them, their setup."""
