"""Tests of `triochat.client`, file by file."""
