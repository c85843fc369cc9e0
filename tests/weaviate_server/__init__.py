"""An in-process Weaviate: REST and gRPC over real sockets, with the objects really searched."""
