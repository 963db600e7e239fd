//! Which event ids the log shows, and which only as a fingerprint.
