//! The engine for one machine: sled, with group commit and a flush that is one.
