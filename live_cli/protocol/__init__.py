"""THE WIRE: messages, their JSON, and the session state machine. Pure: no I/O, no clock."""
