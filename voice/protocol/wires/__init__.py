"""The dialects that browsers and programs speak with this server, each a pure codec."""
