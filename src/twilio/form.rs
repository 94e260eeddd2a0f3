//! Form-encoded pairs, in wire order and with their repetitions.
