//! The generated world of `cargo bench --bench fraud`: that it is as its parameters say, that
//! authgear's model is the one that authgear has, and a small world that holds the aims at
//! every change.

#[path = "../../benches/fraud/world/mod.rs"]
mod world;

mod arguments;
mod attackers;
mod authgear;
mod chance;
mod people;
mod small;

use world::Arguments;
use world::parameters::World;

/// The world as it stands in its file.
fn whole() -> World {
    Arguments::read(&[]).unwrap().world(world::WORLD).unwrap()
}
