//! The directory of the store, or of this machine's state: its owner's alone,
//! whatever it was before.
//!
//! New files are private by the process's mask; this is for what is there
//! already. What is ours is tightened. What is somebody else's, or plainly has
//! other uses too, is refused with the mend: to take `/tmp` or `/etc` from
//! everybody else would be worse than not to start.

use anyhow::{Context, bail, ensure};
use rustix::fs::{Access, OFlags, access};
use rustix::process::geteuid;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What the mode of a file gives to others than its owner.
const OTHERS: u32 = 0o077;
/// The mode of a directory in which everybody has files.
const STICKY: u32 = 0o1000;

/// Makes a directory, and all in it whose names are our own, its owner's alone.
/// One that is not there yet is left to who makes it.
///
/// # Errors
/// When it is somebody else's or shared, with what to do.
pub(super) fn take(dir: &Path, is_own: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let Some(path) = resolved(dir)? else {
        return Ok(());
    };
    let opened = open(&path, OFlags::DIRECTORY)?;
    let about = opened.metadata()?;
    ensure_ours(dir, &about)?;
    let own = own_names(dir, &path, &about, is_own)?;
    if about.mode() & OTHERS != 0 {
        tighten(dir, &opened, &about)?;
    }
    own.iter().try_for_each(|name| take_entry(&path.join(name)))
}

/// Looks whether [`take`] would take a directory, or whether it could be made, and
/// whether it could be written in. Nothing is changed.
///
/// # Errors
/// What is in the way.
pub(super) fn look(dir: &Path, is_own: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let writable = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    if matches!(fs::symlink_metadata(dir), Err(error) if error.kind() == ErrorKind::NotFound) {
        let above =
            dir.ancestors().skip(1).map(|path| if path == Path::new("") { Path::new(".") } else { path });
        let above = above.into_iter().find(|path| path.exists()).unwrap_or(Path::new("/"));
        ensure!(above.is_dir(), "{} cannot be made: {} is no directory", dir.display(), above.display());
        return access(above, Access::WRITE_OK | Access::EXEC_OK)
            .with_context(|| format!("{} cannot be made in {}", dir.display(), above.display()));
    }
    let Some(path) = resolved(dir)? else { bail!("{} is a file", dir.display()) };
    let about = fs::metadata(&path)?;
    ensure_ours(dir, &about)?;
    let own = own_names(dir, &path, &about, is_own)?;
    for name in own {
        let path = path.join(name);
        if let Ok(about) = fs::symlink_metadata(&path) {
            ensure_ours(&path, &about)?;
        }
    }
    access(&path, writable).with_context(|| format!("{} cannot be written in", dir.display()))
}

/// A file system's own, a marker that keeps an empty directory in a repository.
fn is_furniture(name: &str) -> bool {
    name == "lost+found" || name.starts_with('.')
}

/// The names in a directory that are our own. One that others can read must be
/// ours alone, or it is not taken from them.
fn own_names(
    dir: &Path,
    path: &Path,
    about: &Metadata,
    is_own: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<OsString>> {
    let names = fs::read_dir(path).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    let names: Vec<OsString> = names.with_context(|| format!("cannot list {}", dir.display()))?;
    let (own, other): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name.to_str().is_some_and(&is_own));
    if about.mode() & OTHERS == 0 {
        return Ok(own);
    }
    let foreign = other.iter().find(|name| !is_furniture(&name.to_string_lossy()));
    let used = match foreign {
        Some(name) => Some(format!("holds {} too", name.display())),
        None => (about.mode() & STICKY != 0).then(|| "is everybody's".to_owned()),
    };
    if let Some(used) = used {
        bail!(
            "{} can be read by others (mode {:04o}) and {used}: name a directory for this alone, or `chmod 700` it",
            dir.display(),
            about.mode() & 0o7777
        );
    }
    Ok(own)
}

/// Tightens a file that is ours, which may have been made under another mask.
///
/// # Errors
/// When it is somebody else's, with what to do.
pub(super) fn take_file(path: &Path, file: &File) -> anyhow::Result<()> {
    let about = file.metadata()?;
    ensure_ours(path, &about)?;
    tighten(path, file, &about)
}

/// The directory itself, without a link that only we, or root, can have laid.
fn resolved(dir: &Path) -> anyhow::Result<Option<PathBuf>> {
    let about = match fs::symlink_metadata(dir) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot look at {}", dir.display())),
    };
    if !about.is_symlink() {
        // A file in the directory's place is the store's to refuse.
        return Ok(about.is_dir().then(|| dir.to_owned()));
    }
    ensure!(
        about.uid() == 0 || about.uid() == geteuid().as_raw(),
        "{} is a symbolic link of user {}: name the directory itself",
        dir.display(),
        about.uid()
    );
    let path = dir.canonicalize().with_context(|| format!("{} leads nowhere", dir.display()))?;
    Ok(path.is_dir().then_some(path))
}

fn take_entry(path: &Path) -> anyhow::Result<()> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        // Another process may be at work here; what it makes is private.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot look at {}", path.display())),
    };
    ensure_ours(path, &about)?;
    // A link is not followed: what it leads to is not in this directory.
    if about.is_symlink() || about.mode() & OTHERS == 0 && !about.is_dir() {
        return Ok(());
    }
    let file = match open(path, OFlags::NONBLOCK) {
        Err(error) if is_gone(&error) => return Ok(()),
        opened => opened?,
    };
    let about = file.metadata()?;
    ensure_ours(path, &about)?;
    tighten(path, &file, &about)?;
    if about.is_dir() {
        let entries = fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
        for entry in entries {
            take_entry(&entry?.path())?;
        }
    }
    Ok(())
}

fn is_gone(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

fn open(path: &Path, flags: OFlags) -> anyhow::Result<File> {
    let flags = (flags | OFlags::NOFOLLOW).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    opened.with_context(|| format!("cannot open {}", path.display()))
}

fn ensure_ours(path: &Path, about: &Metadata) -> anyhow::Result<()> {
    let us = geteuid().as_raw();
    ensure!(
        about.uid() == us,
        "{} belongs to user {}, and dialback runs as user {us}: run it as its owner, `chown` it, or name another place",
        path.display(),
        about.uid()
    );
    Ok(())
}

fn tighten(path: &Path, file: &File, about: &Metadata) -> anyhow::Result<()> {
    let mode = about.mode() & 0o7777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let tightened = file.set_permissions(Permissions::from_mode(mode & !OTHERS));
    tightened.with_context(|| format!("cannot take {} from others", path.display()))?;
    tracing::warn!(path = %path.display(), mode = format!("{mode:04o}"), "could be read by others: now by its owner alone");
    Ok(())
}
