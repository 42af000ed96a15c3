//! Listing of runs.

use std::pin::pin;

use futures_util::{Stream, TryStreamExt as _, stream};

use crate::engine::Engine;
use crate::engine::status::Status;
use crate::error::Error;
use crate::foreign::contained_future;

/// The number of ids per request to the store.
const PAGE: usize = 256;

/// A run without a terminal row: it is open or stuck, or its log can't be read.
#[derive(Debug)]
pub struct UnfinishedRun {
    /// The id of the run.
    pub workflow_id: String,
    /// Its status, or why it can't be read.
    pub status: Result<Status, Error>,
}

/// The next page of ids.
enum Page {
    First,
    After(String),
    NoMore,
}

impl Engine {
    /// The runs that are neither done nor rolled back, by ascending id. It claims nothing. It reads
    /// every log of the store once, those of ended runs too.
    ///
    /// # Errors
    ///
    /// [`Error::NoListing`], or the store's error if the listing fails. A single log that can't be
    /// read is an entry of the list.
    pub async fn unfinished(&self) -> Result<Vec<UnfinishedRun>, Error> {
        let mut ids = pin!(self.ids()?);
        let mut unfinished = Vec::new();
        while let Some(workflow_id) = ids.try_next().await? {
            let status = match self.status(&workflow_id).await {
                // Cleared since the listing.
                Err(Error::NotFound { .. }) => continue,
                Ok(status) if status.phase.is_terminal() => continue,
                status => status,
            };
            unfinished.push(UnfinishedRun {
                workflow_id,
                status,
            });
        }
        Ok(unfinished)
    }

    /// Every id of the store, a page at a time.
    pub(super) fn ids(&self) -> Result<impl Stream<Item = Result<String, Error>>, Error> {
        let listing = self.environment.store.as_listing();
        let listing = listing.ok_or(Error::NoListing)?;
        let pages = stream::try_unfold(Page::First, move |page| async move {
            let after = match &page {
                Page::First => None,
                Page::After(last) => Some(last.as_str()),
                Page::NoMore => return Ok::<_, Error>(None),
            };
            let ids = contained_future(async { listing.run_ids(after, PAGE).await }).await;
            let ids = ids.unwrap_or_else(|words| {
                let message = format!("the listing of runs panicked: {words}");
                Err(Error::checkpoint_store(message))
            })?;
            let next = match ids.last() {
                Some(last) if ids.len() >= PAGE => Page::After(last.clone()),
                _ => Page::NoMore,
            };
            Ok(Some((stream::iter(ids.into_iter().map(Ok)), next)))
        });
        Ok(pages.try_flatten())
    }
}
