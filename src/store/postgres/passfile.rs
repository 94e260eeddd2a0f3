//! Password files, as libpq reads them: `host:port:database:user:password` a line,
//! `*` for any, `\` before a colon or backslash that is part of it.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-pgpass.html>. The file in
//! the home directory is not read unless it is named. It refuses to know connections.

use std::os::unix::fs::MetadataExt;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The lines of a file that are for a user and a database.
pub(super) struct Passwords(Vec<[String; 3]>);

impl Passwords {
    /// The password for a host and port: the first that fits.
    pub(super) fn of(&self, host: &str, port: u16) -> Option<&str> {
        let port = port.to_string();
        let fits = |field: &str, wanted: &str| field == "*" || field == wanted;
        // A socket is this machine.
        let is_here = |field: &str| host.starts_with('/') && field == "localhost";
        let found = self
            .0
            .iter()
            .find(|[of_host, of_port, _]| (fits(of_host, host) || is_here(of_host)) && fits(of_port, &port));
        found.map(|[_, _, password]| password.as_str())
    }

    fn read(text: &str, database: &str, user: &str) -> Self {
        let fits = |field: &str, wanted: &str| field == "*" || field == wanted;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.filter_map(|line| {
            let [host, port, of_database, of_user, password] = fields(line)?;
            (fits(&of_database, database) && fits(&of_user, user)).then_some([host, port, password])
        });
        Self(lines.collect())
    }
}

fn fields(line: &str) -> Option<[String; 5]> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => field.extend(letters.next()),
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    fields.push(field);
    fields.try_into().ok()
}

/// The passwords of the file that an address names, or `PGPASSFILE`; nothing where the
/// address has a password, or names no file and there is no such variable.
///
/// # Errors
/// When the file cannot be read, or others may read it, or it has no line that fits.
pub(super) fn find(named: Option<&str>, config: &Config) -> Result<Option<Passwords>, String> {
    if config.get_password().is_some() {
        return Ok(None);
    }
    let of_environment = || std::env::var("PGPASSFILE").ok().filter(|file| !file.is_empty());
    let (what, file) = match named {
        Some(file) => ("passfile", file.to_owned()),
        None => match of_environment() {
            Some(file) => ("PGPASSFILE", file),
            None => return Ok(None),
        },
    };
    let cannot = |why: String| format!("{what}={file}: {why}");
    let about = std::fs::metadata(&file).map_err(|error| cannot(error.to_string()))?;
    if about.mode() & 0o077 != 0 {
        return Err(cannot(format!("others may read it: chmod 600 {file}")));
    }
    let text = std::fs::read_to_string(&file).map_err(|error| cannot(error.to_string()))?;
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().filter(|name| !name.is_empty()).unwrap_or(user);
    let passwords = Passwords::read(&text, database, user);
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    });
    let hosts = hosts.chain(config.get_hostaddrs().iter().map(ToString::to_string));
    let ports = if config.get_ports().is_empty() { vec![5432] } else { config.get_ports().to_vec() };
    let mut all = hosts.flat_map(|host| ports.iter().map(move |port| (host.clone(), *port)));
    // A line for one of several hosts will do; who has none will say so.
    if named.is_some() && !all.any(|(host, port)| passwords.of(&host, port).is_some()) {
        return Err(cannot(
            "it has no line for this host, port, database and user: HOST:PORT:DATABASE:USER:PASSWORD".into(),
        ));
    }
    Ok(Some(passwords))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    const TEXT: &str = "# a comment\nother:5432:base:app:no\nbroken\ndb\\:1:5432:base:app:a\\:b\\\\c:d\n\
        *:*:base:app:any\nlocalhost:*:*:app:here\n";

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let read = |database, user| Passwords::read(TEXT, database, user);
        assert_eq!(read("base", "app").of("db:1", 5432), Some("a:b\\c:d"));
        assert_eq!(read("base", "app").of("db", 1), Some("any"));
        assert_eq!(read("base", "nobody").of("db", 1), None);
        assert_eq!(read("elsewhere", "app").of("/run/postgresql", 5432), Some("here"));
    }

    #[test]
    fn a_file_is_read_when_it_is_its_owners_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        write(file.path(), "db:5432:base:app:secret\n").unwrap();
        let name = file.path().to_str().unwrap();
        let find = |url: &str| find(Some(name), &url.parse().unwrap()).map(|found| found.is_some());
        set_permissions(file.path(), Permissions::from_mode(0o640)).unwrap();
        assert!(find("postgres://app@db/base").unwrap_err().contains("chmod 600"));
        set_permissions(file.path(), Permissions::from_mode(0o600)).unwrap();
        assert_eq!(find("postgres://app@db/base"), Ok(true));
        assert_eq!(find("postgres://app:own@db/base"), Ok(false));
        let refused = find("postgres://app@elsewhere/base").unwrap_err();
        assert!(refused.contains("no line for this host") && !refused.contains("secret"), "{refused}");
    }
}
