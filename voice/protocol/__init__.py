"""The core: events and the time go in, commands come out. No I/O, no clock, no framework.

Start reading at :mod:`voice.protocol.conversation`.
"""
