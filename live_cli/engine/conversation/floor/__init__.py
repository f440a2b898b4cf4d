"""The floor of a conversation: the states of a conversation, and what is said over an answer."""
