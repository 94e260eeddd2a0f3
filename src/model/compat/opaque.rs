//! What is kept for somebody and told back to them: fields by name, of which
//! nothing here goes by any. It refuses to know what they mean.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Fields by name, in their order: an object of JSON.
///
/// Two are equal when they say the same: a field that is null or false says as much
/// as one that is not there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpaqueFields(Map<String, Value>);

impl OpaqueFields {
    /// The fields of a value; none of one that is no object.
    pub fn of(value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(Value::Object(fields)) => Self(fields),
            _ => Self::default(),
        }
    }

    /// The value that has these fields; `None` where they are not such a value's.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(&Value::Object(self.0.clone())).ok()
    }

    /// Sets each field that a value has. Others stay.
    pub fn set(&mut self, value: &impl Serialize) {
        self.0.extend(Self::of(value).0);
    }

    /// Sets those fields of a value that are not there yet.
    pub fn fill(&mut self, value: &impl Serialize) {
        for (name, value) in Self::of(value).0 {
            self.0.entry(name).or_insert(value);
        }
    }

    fn said(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().filter(|(_, value)| !matches!(value, Value::Null | Value::Bool(false)))
    }
}

impl PartialEq for OpaqueFields {
    fn eq(&self, other: &Self) -> bool {
        self.said().count() == other.said().count()
            && self.said().all(|(name, value)| other.0.get(name) == Some(value))
    }
}

impl Eq for OpaqueFields {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kept(value: Value) -> OpaqueFields {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_says_nothing_makes_no_difference() {
        let nothing = [json!({}), json!({ "a": null }), json!({ "a": false, "b": null })].map(kept);
        assert!(nothing.iter().all(|one| nothing.iter().all(|other| one == other)));
        let something = [
            json!({ "a": true }),
            json!({ "b": true }),
            json!({ "a": 0 }),
            json!({ "a": "" }),
            json!({ "a": true, "b": "c" }),
        ]
        .map(kept);
        for (at, one) in something.iter().enumerate() {
            assert!(something.iter().enumerate().all(|(nth, other)| (one == other) == (nth == at)));
            assert!(!nothing.contains(one));
        }
        assert_eq!(kept(json!({ "a": 1, "b": 2 })), kept(json!({ "b": 2, "c": false, "a": 1 })));
    }

    #[test]
    fn fields_are_set_and_filled_and_what_nobody_names_stays() {
        let mut fields = kept(json!({ "new": 1, "a": "x" }));
        fields.fill(&json!({ "a": "y", "b": null }));
        fields.set(&json!({ "b": "z" }));
        let written = serde_json::to_string(&fields).unwrap();
        assert_eq!(written, r#"{"new":1,"a":"x","b":"z"}"#);
        assert_eq!(fields.read::<std::collections::BTreeMap<String, String>>(), None);
        assert_eq!(OpaqueFields::of(&"no object"), OpaqueFields::default());
    }
}
