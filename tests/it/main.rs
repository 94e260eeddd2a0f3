//! The one integration binary: a file per theme.

mod server_limits;
