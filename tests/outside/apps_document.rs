//! The apps document: what Init refuses, and what a running sandbox learns when it changes.

mod changed;
mod rows;
mod world;
