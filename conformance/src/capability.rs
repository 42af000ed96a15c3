//! What a store may claim beyond the contract: the list of capabilities, in one place.

/// A capability that a store declares. Nothing is detected: a law that needs a claim is run only
/// where the claim is made, and then it has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Claim {
    /// Rows survive dropping the store and opening its place again.
    Reopen,
    /// The store takes blobs up to the limit in [`Options::blob_bytes_max`](crate::Options), 16 MiB
    /// where it declares none, and refuses longer ones with an error.
    Limits,
    /// The store works under any executor, without a tokio runtime.
    AnyExecutor,
}

impl Claim {
    /// Every claim there is.
    pub const ALL: &'static [Self] = &[Self::Reopen, Self::Limits, Self::AnyExecutor];

    /// The word that [`certify!`](crate::certify) knows the claim by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reopen => "reopen",
            Self::Limits => "limits",
            Self::AnyExecutor => "any_executor",
        }
    }
}
