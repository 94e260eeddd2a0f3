//! Configuration: file, then environment, then checked values.
