//! The telephones of the state: made when they are first spoken of, and the oldest let go;
//! what is on their screens. It refuses to know what a telephone wishes.

use super::State;
use crate::sandbox::phone::{Phone, Text};
use crate::sandbox::resource::Message;

impl State {
    /// The phone of a number, made if need be.
    pub fn phone(&mut self, number: &str, seed: u64) -> &mut Phone {
        if !self.phones.contains_key(number) {
            self.make_room();
            let (order, count) = &mut self.made;
            *count += 1;
            order.push_back((*count, number.to_owned()));
        }
        let place = self.made.1;
        let made = || Phone { place, ..Phone::new(number, seed) };
        self.phones.entry(number.to_owned()).or_insert_with(made)
    }

    /// Lets the oldest phones go when there are as many as are kept.
    fn make_room(&mut self) {
        let (phones, order) = (&mut self.phones, &mut self.made.0);
        while phones.len() >= self.keep.phones
            && let Some((place, number)) = order.pop_front()
        {
            if phones.get(&number).is_some_and(|phone| phone.place == place) {
                phones.remove(&number);
            }
        }
        // What a tester took away leaves its place in the order.
        if order.len() > 2 * self.keep.phones {
            order.retain(|(place, number)| phones.get(number).is_some_and(|phone| phone.place == *place));
        }
    }

    /// Puts a text on a phone's screen; the oldest text of all goes when there are
    /// more than are kept.
    pub fn show(&mut self, number: &str, seed: u64, text: Text) {
        self.shown.push_back((number.to_owned(), text.sid.clone()));
        self.phone(number, seed).show(text);
        while self.shown.len() > self.keep.messages
            && let Some((number, sid)) = self.shown.pop_front()
        {
            if let Some(phone) = self.phones.get_mut(&number)
                && phone.texts.front().is_some_and(|oldest| oldest.sid == sid)
            {
                phone.texts.pop_front();
            }
        }
    }

    /// How many texts are on all phones.
    #[cfg(test)]
    pub fn texts(&self) -> usize {
        self.phones.values().map(|phone| phone.texts.len()).sum()
    }

    /// Brings a message's status to the phone's screen.
    pub(super) fn mirror(&mut self, message: &Message) {
        let number = if message.direction == "inbound" {
            message.from.as_ref().map_or("", |from| from.number.as_str())
        } else {
            message.to.number.as_str()
        };
        if let Some(phone) = self.phones.get_mut(number)
            && let Some(text) = phone.texts.iter_mut().rev().find(|text| text.sid == message.sid)
        {
            text.status = message.status;
        }
    }
}
