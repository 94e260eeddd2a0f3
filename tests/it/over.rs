//! Stores that stand before another one. What they do nothing about is handed
//! on; what the port has an answer for by itself is theirs to say, too.

/// A store over the one in a field: its own answers, and that one's for the rest;
/// what every store has to say for itself and this one hands on is named first, of
/// `read`, `commit`, `due_in` and `scan`. Who says what becomes of changes says so in
/// `commit_counted`, where all commits come through.
macro_rules! store_over {
    ($name:ty, $inner:tt, [], { $($own:tt)* }) => {
        $crate::over::store_over!($name, $inner, { $($own)* });
    };
    ($name:ty, $inner:tt, [read $($more:ident)*], { $($own:tt)* }) => {
        $crate::over::store_over!($name, $inner, [$($more)*], {
            async fn read(
                &self,
                key: &dialback::store::Key,
            ) -> Result<Option<dialback::store::Stored>, dialback::store::StoreError> {
                self.$inner.read(key).await
            }
            $($own)*
        });
    };
    ($name:ty, $inner:tt, [commit $($more:ident)*], { $($own:tt)* }) => {
        $crate::over::store_over!($name, $inner, [$($more)*], {
            async fn commit_counted(
                &self,
                commit: dialback::store::Commit,
            ) -> Result<(), dialback::store::CountedError> {
                self.$inner.commit_counted(commit).await
            }
            $($own)*
        });
    };
    ($name:ty, $inner:tt, [due_in $($more:ident)*], { $($own:tt)* }) => {
        $crate::over::store_over!($name, $inner, [$($more)*], {
            async fn due_in(
                &self,
                lane: dialback::store::Lane,
                until: jiff::Timestamp,
                limit: usize,
            ) -> Result<Vec<(dialback::store::Key, jiff::Timestamp)>, dialback::store::StoreError> {
                self.$inner.due_in(lane, until, limit).await
            }
            $($own)*
        });
    };
    ($name:ty, $inner:tt, [scan $($more:ident)*], { $($own:tt)* }) => {
        $crate::over::store_over!($name, $inner, [$($more)*], {
            async fn scan(
                &self,
                scan: &dialback::store::Scan,
            ) -> Result<Vec<dialback::store::Entry>, dialback::store::StoreError> {
                self.$inner.scan(scan).await
            }
            $($own)*
        });
    };
    ($name:ty, $inner:tt, { $($own:tt)* }) => {
        #[async_trait::async_trait]
        impl dialback::store::Store for $name {
            $($own)*

            async fn depths(
                &self,
                until: jiff::Timestamp,
            ) -> Result<Vec<dialback::store::Depth>, dialback::store::StoreError> {
                self.$inner.depths(until).await
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

            async fn due_after(
                &self,
                lane: dialback::store::Lane,
                after: Option<&(dialback::store::Key, jiff::Timestamp)>,
                until: jiff::Timestamp,
                limit: usize,
            ) -> Result<Vec<(dialback::store::Key, jiff::Timestamp)>, dialback::store::StoreError> {
                self.$inner.due_after(lane, after, until, limit).await
            }

            fn watch(&self, hook: std::sync::Weak<dyn dialback::store::CommitHook>) {
                self.$inner.watch(hook);
            }

            async fn arrivals(
                &self,
                mark: Option<&dialback::store::Mark>,
                since: jiff::Timestamp,
                limit: usize,
            ) -> Result<Option<dialback::store::Arrivals>, dialback::store::StoreError> {
                self.$inner.arrivals(mark, since, limit).await
            }

            async fn probe(&self) -> Result<(), dialback::store::StoreError> {
                self.$inner.probe().await
            }

            async fn close(&self) {
                self.$inner.close().await;
            }
        }

        #[async_trait::async_trait]
        impl dialback::store::Maintenance for $name {
            async fn walk(
                &self,
                kind: dialback::store::Kind,
                after: Option<&str>,
                limit: usize,
            ) -> Result<Vec<(String, dialback::store::Stored)>, dialback::store::StoreError> {
                self.$inner.walk(kind, after, limit).await
            }

            async fn absent(
                &self,
                due: &[(dialback::store::Key, dialback::store::Due)],
                entries: &[dialback::store::Entry],
            ) -> Result<dialback::store::Absent, dialback::store::StoreError> {
                self.$inner.absent(due, entries).await
            }

            async fn entries_of(
                &self,
                key: &dialback::store::Key,
            ) -> Result<Vec<dialback::store::Entry>, dialback::store::StoreError> {
                self.$inner.entries_of(key).await
            }

            async fn check(&self) -> Result<dialback::store::CheckReport, dialback::store::StoreError> {
                self.$inner.check().await
            }

            async fn stats(&self) -> Result<dialback::store::Stats, dialback::store::StoreError> {
                self.$inner.stats().await
            }
        }
    };
}

pub(crate) use store_over;
