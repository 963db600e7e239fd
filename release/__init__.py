"""What a release page holds: `make release`. Needs Python's standard library only."""
