//! Who does not want to hear from whom. It refuses to know which words say so.

use super::recent::Recent;

/// A sender and a phone.
pub(super) type Pair = (String, String);

/// The wishes; the oldest go first.
pub(super) struct OptOuts(Recent<Pair, ()>);

impl OptOuts {
    /// No wishes yet, and `limit` of them at most.
    pub fn new(limit: usize) -> Self {
        Self(Recent::new(limit))
    }

    /// Whether the phone wants nothing from the sender.
    pub fn contains(&self, sender: &str, phone: &str) -> bool {
        !self.0.is_empty() && self.0.get(&(sender.to_owned(), phone.to_owned())).is_some()
    }

    /// Remembers that it wants nothing any more.
    pub fn insert(&mut self, pair: Pair) {
        self.0.insert(pair, ());
    }

    /// Lets the sender write to the phone again.
    pub fn remove(&mut self, pair: &Pair) {
        self.0.forget(pair);
    }

    /// Forgets all that a phone wished.
    pub fn forget(&mut self, phone: &str) {
        self.0.retain(|(_, own)| own != phone);
    }

    /// The senders that a phone wants nothing from, longest wish first.
    pub fn of<'a>(&'a self, phone: &'a str) -> impl Iterator<Item = &'a String> {
        self.0.keys().filter(move |(_, own)| own == phone).map(|(sender, _)| sender)
    }

    /// All wishes, the oldest first.
    #[cfg(test)]
    pub fn all(&self) -> impl Iterator<Item = &Pair> {
        self.0.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_wish_goes_first() {
        let mut wishes = OptOuts::new(2);
        for n in 0..3 {
            wishes.insert((n.to_string(), "+1".to_owned()));
        }
        assert!(!wishes.contains("0", "+1") && wishes.contains("1", "+1"));
        assert_eq!(wishes.of("+1").collect::<Vec<_>>(), ["1", "2"]);
        wishes.remove(&("1".to_owned(), "+1".to_owned()));
        assert_eq!(wishes.of("+1").collect::<Vec<_>>(), ["2"]);
        wishes.forget("+1");
        assert_eq!((wishes.of("+1").count(), wishes.contains("2", "+1")), (0, false));
    }
}
