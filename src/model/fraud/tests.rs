//! What the signals find in small traffic, one table for each; and what holds for any.

mod known;
mod rows;
mod scene;
mod table;
