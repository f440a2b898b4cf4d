"""Who speaks when: the states of a conversation, and what is said over an answer."""
