"""Conversation sessions: turns of user and model, the history, images, resumption handles."""
