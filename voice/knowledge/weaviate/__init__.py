"""The texts of a site in Weaviate."""
