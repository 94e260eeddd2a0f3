//! The pages for people in a headless browser, against the real binary and its
//! sandbox.

use crate::instance::{KEY, Setup, skipped};
use std::path::PathBuf;
use std::process::Command;

const CHROMIUM: &str = "DIALBACK_TEST_CHROMIUM";
const NODE_MODULES: &str = "DIALBACK_TEST_NODE_MODULES";

/// The application, which the driver plays.
const SERVICE: &str =
    r##"{ default = { name = "Bookshop", pages = { return_urls = ["http://localhost:*/back"] } } }"##;

#[tokio::test(flavor = "multi_thread")]
async fn people_verify_their_numbers_in_a_browser() {
    let Some((chromium, modules)) = std::env::var(CHROMIUM).ok().zip(std::env::var(NODE_MODULES).ok()) else {
        return skipped(&format!(
            "the pages in a browser: set {CHROMIUM} and {NODE_MODULES} (with playwright-core and axe-core) to turn it on"
        ));
    };
    let app = Setup::sandbox().set("SERVICES", SERVICE).start().await;
    let driver: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "browser", "pages.mjs"].iter().collect();
    let mut node = Command::new("node");
    node.arg(driver).args([&app.server, &app.sandbox, KEY]);
    node.env(CHROMIUM, chromium).env(NODE_MODULES, modules);
    let told = tokio::task::spawn_blocking(move || node.output()).await.unwrap().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{said}\n{}", app.end_of_log());
    assert_eq!(said.lines().filter(|line| line.starts_with("ok ")).count(), 8, "{said}");
}
