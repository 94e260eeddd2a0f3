//! Stores that stand before another one. What they do nothing about is handed
//! on; what the port has an answer for by itself is theirs to say, too.

/// A store over the one in a field: its own answers, and that one's for the rest.
macro_rules! store_over {
    ($name:ty, $inner:tt, { $($own:tt)* }) => {
        #[async_trait::async_trait]
        impl dialback::store::Store for $name {
            $($own)*

            async fn walk(
                &self,
                kind: dialback::store::Kind,
                after: Option<&str>,
                limit: usize,
            ) -> Result<Vec<(String, dialback::store::Stored)>, dialback::store::StoreError> {
                self.$inner.walk(kind, after, limit).await
            }

            async fn claim(
                &self,
                lane: dialback::store::Lane,
                until: jiff::Timestamp,
                limit: usize,
                span: std::time::Duration,
            ) -> Result<Vec<(dialback::store::Key, jiff::Timestamp)>, dialback::store::StoreError> {
                self.$inner.claim(lane, until, limit, span).await
            }

            async fn probe(&self) -> Result<(), dialback::store::StoreError> {
                self.$inner.probe().await
            }

            async fn check(&self) -> Result<dialback::store::CheckReport, dialback::store::StoreError> {
                self.$inner.check().await
            }

            async fn stats(&self) -> Result<dialback::store::Stats, dialback::store::StoreError> {
                self.$inner.stats().await
            }

            async fn close(&self) {
                self.$inner.close().await;
            }
        }
    };
}

pub(crate) use store_over;
