//! The claim record, version 2; version 1 is still read. A life writes it when it takes a run over.
//!
//! Keys, fences and deadlines hang on it, so its bytes are frozen: a change is a new version. It
//! carries the exit states of the claiming definition: the log alone then says whether the run has
//! ended, without a definition. Since version 2 it names its workflow id by a hash, so that the log of
//! another run is noticed when a store mixes ids up.

use sha2::{Digest, Sha256};

use crate::core::atoms::{Bytes, Label};
use crate::core::wire::{BlobFault, Reader, Writer};

/// Without the hash of the workflow id.
const VERSION_1: u8 = 1;
const VERSION_2: u8 = 2;
const WITHOUT_INPUT: u8 = 0;
const WITH_INPUT: u8 = 1;

/// Sixteen bytes that identify a life. The nonce of the first life identifies the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub [u8; 16]);

impl std::fmt::Display for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Nonce({self})")
    }
}

/// The first sixteen bytes of the SHA-256 of a workflow id.
///
/// They detect a store that mixes ids up; they are no protection from somebody who writes claims.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdHash(pub [u8; 16]);

impl IdHash {
    /// The hash of `workflow_id`.
    pub fn of(workflow_id: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(workflow_id.as_bytes()).into();
        Self(std::array::from_fn(|index| digest[index]))
    }
}

impl std::fmt::Debug for IdHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdHash({})", Nonce(self.0))
    }
}

/// The content of a claim: run, life, definition, and in the first claim the input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClaimRecord {
    /// The hash of the run's workflow id; none in a record of version 1.
    pub id_hash: Option<IdHash>,
    /// The nonce of the run's first life.
    pub run_id: Nonce,
    /// The nonce of this life.
    pub nonce: Nonce,
    /// The name of the claiming definition.
    pub definition: Label,
    /// The version of the claiming definition.
    pub version: u32,
    /// A hash of the claiming definition's shape; informational.
    pub fingerprint: u64,
    /// Wall clock at the claim, in milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// The labels of the claiming definition's exit states.
    pub exits: Box<[Label]>,
    /// The run's serialized input; present in the first claim, absent from all others.
    pub input: Option<Bytes>,
}

impl ClaimRecord {
    /// The record's bytes.
    ///
    /// # Panics
    ///
    /// If a field is 4 GiB or longer.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = match self.id_hash {
            None => Writer::versioned(VERSION_1),
            Some(_) => Writer::versioned(VERSION_2),
        };
        if let Some(id_hash) = &self.id_hash {
            writer.raw(&id_hash.0);
        }
        writer.raw(&self.run_id.0).raw(&self.nonce.0);
        writer
            .text(&self.definition)
            .u32(self.version)
            .u64(self.fingerprint)
            .u64(self.unix_ms);
        writer.u32(u32::try_from(self.exits.len()).expect("a definition has few exits"));
        for exit in &self.exits {
            writer.text(exit);
        }
        match &self.input {
            None => writer.u8(WITHOUT_INPUT),
            Some(input) => writer.u8(WITH_INPUT).bytes(input),
        };
        writer.finish()
    }

    /// Reads a record back.
    ///
    /// # Errors
    ///
    /// If the bytes are not a claim record of version 1 or 2.
    pub fn decode(blob: &[u8]) -> Result<Self, BlobFault> {
        let (version, mut reader) = Reader::versioned_up_to(blob, VERSION_2)?;
        let id_hash = match version {
            VERSION_1 => None,
            _ => Some(IdHash(reader.array()?)),
        };
        let run_id = Nonce(reader.array()?);
        let nonce = Nonce(reader.array()?);
        let definition = reader.text()?.into();
        let version = reader.u32()?;
        let fingerprint = reader.u64()?;
        let unix_ms = reader.u64()?;
        let mut exits = Vec::new();
        for _ in 0..reader.u32()? {
            exits.push(reader.text()?.into());
        }
        let input = match reader.u8()? {
            WITHOUT_INPUT => None,
            WITH_INPUT => Some(reader.bytes()?.into()),
            found => return Err(BlobFault::Tag(found)),
        };
        reader.finish()?;
        let exits = exits.into();
        Ok(Self {
            id_hash,
            run_id,
            nonce,
            definition,
            version,
            fingerprint,
            unix_ms,
            exits,
            input,
        })
    }
}
