"""The Live API's protocol: messages, their JSON, the session state machine. No I/O, no clock."""
