//! The reference engine: everything in memory.
