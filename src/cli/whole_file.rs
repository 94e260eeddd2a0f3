//! Files of our own: for their owner alone, and there as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Writes a file of mode 0600, whole or not at all, in place of any other, and
/// durable with its name when this returns.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = write_beside(path, bytes)?;
    fs::rename(temporary, path)?;
    sync_names(path)
}

/// The same, unless there is one: then it stays, and the answer is false.
///
/// # Errors
/// When it cannot be written.
pub fn write_private_once(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let temporary = write_beside(path, bytes)?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        linked => linked.and_then(|()| sync_names(path)).map(|()| true),
    }
}

/// Makes the names durable in the directory that a file is in.
///
/// # Errors
/// When the directory cannot be synced.
pub fn sync_names(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
}

/// Under a name that no other process writes to.
fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut temporary: PathBuf = path.to_owned();
    temporary.as_mut_os_string().push(format!(".{}.new", std::process::id()));
    // What a process of this number left, or somebody laid there, is not written
    // into: it may be a link, or be open to others.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(temporary)
}
