//! A bounded shelf whose resources are also found by a name of their own, such as a
//! telephone number, at once however many there are.

use super::shelf::{Owned, Shelf};
use std::collections::HashMap;

/// What is found by a name that no other has; the name never changes.
pub(super) trait Named {
    /// Its SID.
    fn sid(&self) -> &str;
    /// Its name.
    fn name(&self) -> String;
}

/// Resources in order of creation, by SID and by name; what is over the limit falls off
/// the old end, and its name with it.
pub(super) struct Directory<T> {
    shelf: Shelf<T>,
    /// The SIDs by name.
    names: HashMap<String, String>,
}

impl<T: Named> Directory<T> {
    /// An empty directory for at most `limit` resources.
    pub fn new(limit: usize) -> Self {
        Self { shelf: Shelf::new(limit), names: HashMap::new() }
    }

    /// The shelf, to look at.
    pub fn shelf(&self) -> &Shelf<T> {
        &self.shelf
    }

    /// Puts a new resource at the young end; one that had its name before loses it.
    pub fn push(&mut self, value: T) {
        let (sid, name) = (value.sid().to_owned(), value.name());
        self.names.insert(name, sid.clone());
        if let Some(fallen) = self.shelf.push(sid, value) {
            self.forget(&fallen);
        }
    }

    /// One resource, by its name.
    pub fn find(&self, name: &str) -> Option<&T> {
        self.shelf.get(self.names.get(name)?)
    }

    /// The same, to change.
    pub fn find_mut(&mut self, name: &str) -> Option<&mut T> {
        self.shelf.get_mut(self.names.get(name)?)
    }

    /// One resource, by its SID.
    pub fn get(&self, sid: &str) -> Option<&T> {
        self.shelf.get(sid)
    }

    /// Takes one away by its SID.
    pub fn remove(&mut self, sid: &str) -> Option<T> {
        let gone = self.shelf.remove(sid)?;
        self.forget(&gone);
        Some(gone)
    }

    /// Takes one away by its name.
    pub fn remove_named(&mut self, name: &str) -> Option<T> {
        let sid = self.names.get(name)?.clone();
        self.remove(&sid)
    }

    /// All of them, youngest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.shelf.newest_first()
    }

    /// Forgets the name of what is gone, unless a younger one has it.
    fn forget(&mut self, gone: &T) {
        let name = gone.name();
        if self.names.get(&name).is_some_and(|sid| sid == gone.sid()) {
            self.names.remove(&name);
        }
    }
}

impl<T: Named + Owned> Directory<T> {
    /// An account's resources, youngest first.
    pub fn of<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a T> {
        self.shelf.of(account)
    }

    /// One resource, if it is this account's.
    pub fn its(&self, account: &str, sid: &str) -> Option<&T> {
        self.shelf.its(account, sid)
    }

    /// One resource to change, if it is this account's.
    pub fn its_mut(&mut self, account: &str, sid: &str) -> Option<&mut T> {
        self.shelf.its_mut(account, sid)
    }

    /// Takes one away, if it is this account's.
    pub fn remove_its(&mut self, account: &str, sid: &str) -> Option<T> {
        self.its(account, sid)?;
        self.remove(sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Thing(&'static str, &'static str);

    impl Named for Thing {
        fn sid(&self) -> &str {
            self.0
        }

        fn name(&self) -> String {
            self.1.to_owned()
        }
    }

    fn names(directory: &Directory<Thing>) -> Vec<&str> {
        let mut names: Vec<&str> = directory.names.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_name_goes_with_what_has_it() {
        let mut directory = Directory::new(2);
        directory.push(Thing("a", "+1"));
        directory.push(Thing("b", "+2"));
        assert_eq!(directory.find("+1"), Some(&Thing("a", "+1")));
        directory.push(Thing("c", "+3"));
        assert_eq!((directory.find("+1"), names(&directory)), (None, vec!["+2", "+3"]));
        assert!(directory.remove("b").is_some() && directory.remove_named("+3").is_some());
        assert!(directory.remove_named("+3").is_none() && names(&directory).is_empty());
        assert_eq!(directory.newest_first().count(), 0);
    }

    #[test]
    fn the_youngest_of_a_name_has_it_and_keeps_it_when_the_older_one_goes() {
        let mut directory = Directory::new(9);
        directory.push(Thing("a", "+1"));
        directory.push(Thing("b", "+1"));
        assert_eq!(directory.find("+1"), Some(&Thing("b", "+1")));
        directory.remove("a");
        assert_eq!(directory.find("+1"), Some(&Thing("b", "+1")));
    }
}
