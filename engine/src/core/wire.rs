//! The primitive encoding of the engine's own blobs: little-endian integers, length-prefixed bytes.
//!
//! Hand-written, because these bytes are a released format that no version of a serializer may change.

/// Why one of the engine's own blobs can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BlobFault {
    /// It ends too early.
    #[error("it ends too early")]
    Truncated,
    /// Bytes follow its end.
    #[error("{0} bytes follow its end")]
    TrailingBytes(usize),
    /// It has another version.
    #[error("it has version {found}, expected {expected}")]
    Version {
        /// The version found.
        found: u8,
        /// The newest version that this engine reads.
        expected: u8,
    },
    /// A tag is unknown.
    #[error("unknown tag {0}")]
    Tag(u8),
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
}

/// Appends values to a blob.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// A blob that opens with the version of its record.
    pub(super) fn versioned(version: u8) -> Self {
        assert!(version > 0, "versions of records begin at 1");
        Self(vec![version])
    }

    pub(super) fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }

    /// # Panics
    ///
    /// If `bytes` are 4 GiB or longer, which no blob of a checkpoint is.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.u32(u32::try_from(bytes.len()).expect("a field of a blob is under 4 GiB"));
        self.raw(bytes)
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(super) fn finish(&mut self) -> Vec<u8> {
        assert!(
            !self.0.is_empty(),
            "a blob is finished once, and opens with its version"
        );
        std::mem::take(&mut self.0)
    }
}

/// Takes values off a blob; every shortage is an error, and so is anything left over.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Opens a blob whose first byte must be `version`.
    pub(super) fn versioned(blob: &'a [u8], version: u8) -> Result<Self, BlobFault> {
        let mut reader = Self { rest: blob };
        match reader.u8()? {
            found if found == version => Ok(reader),
            found => Err(BlobFault::Version {
                found,
                expected: version,
            }),
        }
    }

    /// Opens a blob whose first byte must be in `1..=newest`, and returns that version.
    pub(super) fn versioned_up_to(blob: &'a [u8], newest: u8) -> Result<(u8, Self), BlobFault> {
        let mut reader = Self { rest: blob };
        match reader.u8()? {
            found if (1..=newest).contains(&found) => Ok((found, reader)),
            found => Err(BlobFault::Version {
                found,
                expected: newest,
            }),
        }
    }

    pub(super) fn u8(&mut self) -> Result<u8, BlobFault> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u32(&mut self) -> Result<u32, BlobFault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, BlobFault> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BlobFault> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(BlobFault::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], BlobFault> {
        let length = usize::try_from(self.u32()?).map_err(|_| BlobFault::Truncated)?;
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(BlobFault::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, BlobFault> {
        std::str::from_utf8(self.bytes()?).map_err(|_| BlobFault::NotUtf8)
    }

    pub(super) fn finish(self) -> Result<(), BlobFault> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(BlobFault::TrailingBytes(self.rest.len()))
        }
    }
}
