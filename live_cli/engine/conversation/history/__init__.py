"""The history of a conversation: its entries, the messages a chat model reads, tokens and bytes."""
