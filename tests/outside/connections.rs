//! Connections that died while the sandbox was frozen.
