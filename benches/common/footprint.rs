//! What files take on the disk, for benchmarks that say so.

use std::path::Path;

/// The size of all files in a directory and below, in bytes.
pub fn size(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return std::fs::metadata(dir).map_or(0, |file| file.len());
    };
    entries.flatten().map(|entry| size(&entry.path())).sum()
}
