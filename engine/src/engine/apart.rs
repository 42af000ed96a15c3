//! Keeps the panic of one run from the others.

use crate::error::Error;
use crate::foreign::contained_future;

/// One run's part of an operation: its panic is its own error, and stops nobody else.
pub(super) async fn apart<T>(
    workflow_id: &str,
    part: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    contained_future(part).await.unwrap_or_else(|message| {
        let workflow_id = workflow_id.to_owned();
        Err(Error::Panicked {
            workflow_id,
            message,
        })
    })
}
