//! Which of two events is the newer one.
