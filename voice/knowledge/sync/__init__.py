"""The site's own texts, kept alike in a collection of Weaviate.

Pure are :mod:`chunking` (a text in pieces), :mod:`pieces` (what is stored of one), :mod:`plan` (what differs) and
:mod:`schema` (what the collection must be like). :mod:`target` is the server, :mod:`run` does it all.
"""
