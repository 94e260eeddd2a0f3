//! The generated world of `cargo bench --bench fraud`: that it is as its parameters say, and
//! a small one of it that holds the aims at every change.

#[path = "../../benches/fraud/world/mod.rs"]
mod world;
