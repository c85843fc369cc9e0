"""A spoken conversation with an assistant that knows the site, for any Django page."""
