//! The apps document, and how a running sandbox notices that it has changed.

mod changed;
mod rows;
mod world;
