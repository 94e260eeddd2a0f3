//! What a process takes of memory, for benchmarks that say so.

/// A figure of this process's memory, in bytes: `VmRSS`, what it has, or `VmHWM`, the most
/// that it had.
pub fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}
