"""`live-cli text`: messages, lines of a pipe or a chat; the replies, as text and as sound."""
