//! The voices that `<Say>` knows, in which language does not matter here.
//!
//! `voices.txt` has one a line: those of the SDKs' enumeration. Twilio adds some
//! without notice, so an unknown one is worth a warning and no more.
//!
//! Source: <https://www.twilio.com/docs/voice/twiml/say/text-speech>.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Names that Twilio's page writes with their accents, and the SDKs without.
const ACCENTED: [(char, char); 5] = [('é', 'e'), ('ó', 'o'), ('ê', 'e'), ('í', 'i'), ('á', 'a')];

static KNOWN: LazyLock<HashSet<String>> =
    LazyLock::new(|| include_str!("voices.txt").lines().map(plain).collect());

/// Whether there is a voice of this name, in upper or lower case.
pub fn is_known(name: &str) -> bool {
    KNOWN.contains(&plain(name))
}

fn plain(name: &str) -> String {
    let letter = |c: char| ACCENTED.iter().find(|(accented, _)| *accented == c).map_or(c, |(_, bare)| *bare);
    name.trim().to_lowercase().chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn voices_are_known_by_their_names() {
        for name in
            ["man", "woman", "alice", "Polly.Joanna", "polly.joanna-neural", "Polly.Céline", "Polly.Vitória"]
        {
            assert!(is_known(name), "{name}");
        }
        for name in ["Polly.Nobody", "Joanna", "", "Google.en-US", "Polly."] {
            assert!(!is_known(name), "{name}");
        }
    }

    #[test]
    fn the_list_is_that_of_the_sdks() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/voices.json");
        let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let all = all["all_voices"].as_array().unwrap();
        assert!(all.len() > 800 && all.iter().all(|name| is_known(name.as_str().unwrap())));
        assert_eq!(super::KNOWN.len(), all.len());
    }
}
