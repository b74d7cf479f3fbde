"""The protocol core: bytes in, values out; no test here needs an event loop."""
