"""OpenAI's Realtime API (GA), and whatever else speaks it, as an upstream.

:mod:`~voice.upstream.openai.options` what a site may set · :mod:`~voice.upstream.openai.configuration` the
session that is asked for, and whether it was given · :mod:`~voice.upstream.openai.wire` the codec ·
:mod:`~voice.upstream.openai.transport` the socket · :mod:`~voice.upstream.openai.client` the four put
together.
"""
