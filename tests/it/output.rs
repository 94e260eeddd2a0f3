//! What a child process says, collected while it says it, and searched for
//! what may not be said.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// True when a line has the secret. A code counts only when it stands alone,
/// for six figures are easily a part of something else.
pub fn tells(line: &str, secret: &str) -> bool {
    let is_code = secret.len() <= 10 && secret.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code {
        return !secret.is_empty() && line.contains(secret);
    }
    let apart = |between: &str| secret.chars().map(String::from).collect::<Vec<_>>().join(between);
    if [" ", ", ", ". ", "-"].iter().any(|between| line.contains(&apart(between))) {
        return true;
    }
    line.match_indices(secret).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + secret.len()..]);
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let is_time = ["micros=", "\"micros\":"].iter().any(|name| before.ends_with(name));
        !is_time && !joined(before.chars().next_back()) && !joined(after.chars().next())
    })
}

/// What a pipe gave so far, read by a thread of its own.
pub struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    pub fn from(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = bytes.clone();
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                into.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    pub fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}

#[test]
fn the_search_of_the_output_finds_what_it_looks_for() {
    let code = "042137";
    for line in ["code=042137", "your code is 042137.", "said 0 4 2 1 3 7", "0, 4, 2, 1, 3, 7", "\"042137\""]
    {
        assert!(tells(line, code), "{line}");
    }
    for line in ["sid=SM0421370000", "micros=042137", "2026-11-20T10:00:00.042137Z", "042138", "1042137"] {
        assert!(!tells(line, code), "{line}");
    }
    assert!(tells("to=%2B15551230101 x", "15551230101") && !tells("to=+1********01", "15551230101"));
    assert!(tells("why=KbWYbtGNBGwzLsvYq6VUs8yUnFM=", "KbWYbtGNBGwzLsvYq6VUs8yUnFM="));
}
