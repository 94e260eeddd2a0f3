//! Several attempts at one thing, of which the first to succeed is taken.
//!
//! Each begins when the one before it has failed, or has not succeeded for a while:
//! so who does not answer costs that while, and not all of his own deadline. It
//! refuses to know what is attempted.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::time::Duration;
use tokio::time::sleep;

/// How long an attempt is alone before the next one joins it: RFC 8305's
/// "Connection Attempt Delay".
pub(super) const ALONE: Duration = Duration::from_millis(250);

/// The first success; what has not ended then is dropped.
///
/// # Errors
/// All failures, in the order in which they came, when there is no success.
pub(super) async fn first<T, E, F>(
    attempts: impl IntoIterator<Item = F>,
    alone: Duration,
) -> Result<T, Vec<E>>
where
    F: Future<Output = Result<T, E>>,
{
    let mut waiting = attempts.into_iter().peekable();
    let mut under_way: FuturesUnordered<F> = waiting.next().into_iter().collect();
    let mut failures = Vec::new();
    loop {
        tokio::select! {
            biased;
            ended = under_way.next() => match ended {
                Some(Ok(success)) => return Ok(success),
                Some(Err(failure)) => {
                    failures.push(failure);
                    under_way.extend(waiting.next());
                }
                None => return Err(failures),
            },
            () = sleep(alone), if waiting.peek().is_some() => under_way.extend(waiting.next()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::BoxFuture;
    use std::future::{pending, ready};

    const SHORT: Duration = Duration::from_millis(2);

    type Attempt = BoxFuture<'static, Result<u8, u8>>;

    fn silent() -> Attempt {
        Box::pin(pending())
    }

    fn failing(with: u8) -> Attempt {
        Box::pin(ready(Err(with)))
    }

    fn good(with: u8) -> Attempt {
        Box::pin(ready(Ok(with)))
    }

    #[tokio::test]
    async fn who_is_silent_keeps_nobody_else_waiting_for_long() {
        assert_eq!(first([silent(), silent(), good(3)], SHORT).await, Ok(3));
    }

    #[tokio::test]
    async fn a_failure_brings_the_next_at_once_and_all_are_told() {
        assert_eq!(first([failing(1), good(2), silent()], Duration::MAX).await, Ok(2));
        assert_eq!(first([failing(1), failing(2)], Duration::MAX).await, Err(vec![1, 2]));
        assert_eq!(first(Vec::<Attempt>::new(), Duration::MAX).await, Err(vec![]));
    }

    #[tokio::test]
    async fn who_was_first_may_still_win() {
        let slow: Attempt = Box::pin(async {
            sleep(20 * SHORT).await;
            Ok(1)
        });
        assert_eq!(first([slow, silent()], SHORT).await, Ok(1));
    }
}
