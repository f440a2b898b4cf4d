"""The transcript of a conversation as a state that events change. Pure."""
