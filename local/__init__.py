"""Runs the whole stack on one machine: bus, queue, the real Lambda binary and a local TPNS. `make run` starts it."""
