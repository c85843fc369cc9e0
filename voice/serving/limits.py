"""What a server allows one connection, before any application looks at it."""

MESSAGE_LIMIT = 128 * 1024
"""Bytes of a WebSocket message: twice the largest that the application takes, so that it can say what was too big."""
PING_SECONDS = 5.0
"""Between pings, and for the answer to one: whoever vanished is noticed within ten seconds."""
HANDSHAKE_SECONDS = 20.0
"""For a WebSocket's handshake, in which the credential is looked up; a crowd that dials at once needs some."""
CLOSE_SECONDS = 10.0
"""For the client's answer to a close frame. One that is busy would lose the close code with the connection."""
HTTP_SECONDS = 60
"""For the answer to a request."""
