//! The accept loop around a warp service: limits, deadlines, drain.
