"""A spoken conversation with an assistant that knows the site, for any Django page."""

__version__ = "0.1.0"
