//! `[reconcile]`: when the provider's lists are compared with what is known.
//!
//! It refuses to know how.

use super::reader::Reader;

/// The hour of UTC at which they are, every day; nothing where they never are.
pub(super) fn read(r: &mut Reader<'_>) -> Option<i8> {
    let (is_daily, hour) = (r.flag("reconcile.daily"), r.number("reconcile.hour", 0..=23));
    is_daily.then_some(hour)
}

#[cfg(test)]
mod tests {
    use crate::config::{Env, examine};

    #[test]
    fn it_is_every_day_at_an_hour_or_never() {
        let hour = |file: &str| {
            let found = examine(Some(("config.toml", file)), &Env::default());
            let keys: Vec<String> = found.refused.iter().map(|problem| problem.key.clone()).collect();
            (found.config.sweep_hour, keys)
        };
        assert_eq!(hour(""), (Some(3), Vec::new()));
        assert_eq!(hour("[reconcile]\nhour = 23"), (Some(23), Vec::new()));
        assert_eq!(hour("[reconcile]\ndaily = false\nhour = 0"), (None, Vec::new()));
        for wrong in ["hour = 24", "hour = -1", "hour = \"3am\""] {
            assert_eq!(hour(&format!("[reconcile]\n{wrong}")).1, ["reconcile.hour"], "{wrong}");
        }
    }
}
