"""OpenAI's Realtime API (GA), and whatever else speaks it, as an upstream.

:mod:`~voice.upstream.openai.options` what a site may set · :mod:`~voice.upstream.openai.configuration` the
sessions that are asked for, and whether they were given · :mod:`~voice.upstream.openai.wire` the codec ·
:mod:`~voice.upstream.openai.transport` the socket · :mod:`~voice.upstream.openai.handshake` from an address to a
session · :mod:`~voice.upstream.openai.circuit` whether to dial at all · :mod:`~voice.upstream.openai.client` these
put together.

Where the conversation writes what is said too late to search by:
:mod:`~voice.upstream.openai.partials` whether it does · :mod:`~voice.upstream.openai.second_socket` another session
that writes in time · :mod:`~voice.upstream.openai.lane` what waits for it ·
:mod:`~voice.upstream.openai.correlation` whose words these are.
"""
