//! The bytes of a file as pages that copies share. So copying, comparing and hashing a whole file
//! cost next to nothing.

use std::io;
use std::sync::{Arc, LazyLock, OnceLock};

/// The size of a page, in bytes.
pub(super) const PAGE_BYTES: usize = 4096;

/// The content of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Pages {
    length: u64,
    /// As many pages as the length needs. The bytes beyond the length are zero.
    pages: Vec<Arc<Page>>,
}

/// A write to a file. However often it is applied, the pages that it fills are shared.
#[derive(Clone)]
pub(crate) struct Write {
    pub(super) offset: u64,
    pub(super) data: Arc<[u8]>,
    full_pages: Vec<Arc<Page>>,
}

#[derive(Clone)]
struct Page {
    bytes: [u8; PAGE_BYTES],
    hash: OnceLock<u64>,
}

/// The page of zeros. Copies of it are compared without being read.
static BLANK: LazyLock<Arc<Page>> = LazyLock::new(|| Arc::new(Page::of([0; PAGE_BYTES])));

impl Pages {
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.check(offset, out.len())?;
        for piece in pieces(offset, out.len()) {
            let from = &self.pages[piece.page].bytes[piece.start..][..piece.length];
            out[piece.at..][..piece.length].copy_from_slice(from);
        }
        Ok(())
    }

    pub(super) fn write(&mut self, write: &Write) -> io::Result<()> {
        self.check(write.offset, write.data.len())?;
        let mut full_pages = write.full_pages.iter();
        for piece in pieces(write.offset, write.data.len()) {
            let page = &mut self.pages[piece.page];
            if piece.length == PAGE_BYTES {
                page.clone_from(full_pages.next().expect("the write has its full pages"));
            } else {
                let page = Arc::make_mut(page);
                let from = &write.data[piece.at..][..piece.length];
                page.bytes[piece.start..][..piece.length].copy_from_slice(from);
                page.hash = OnceLock::new();
            }
        }
        assert!(
            full_pages.next().is_none(),
            "a write has exactly the full pages that it fills, wherever it is written"
        );
        Ok(())
    }

    /// Sets the length, in bytes. New bytes are zero.
    pub(super) fn set_len(&mut self, length: u64) -> io::Result<()> {
        let pages =
            usize::try_from(length.div_ceil(PAGE_BYTES as u64)).map_err(io::Error::other)?;
        self.pages.resize_with(pages, || Arc::clone(&BLANK));
        let used = (length % PAGE_BYTES as u64) as usize;
        if length < self.length && used > 0 {
            let last = Arc::make_mut(self.pages.last_mut().expect("a used last page exists"));
            last.bytes[used..].fill(0);
            last.hash = OnceLock::new();
        }
        self.length = length;
        assert!(
            self.pages.len() as u64 * PAGE_BYTES as u64 >= length,
            "a content has as many pages as its length needs"
        );
        Ok(())
    }

    /// Replaces the pages touched by a write by those of `other`, where both have them.
    pub(super) fn adopt(&mut self, other: &Self, write: &Write) {
        for piece in pieces(write.offset, write.data.len()) {
            if let (Some(page), Some(from)) =
                (self.pages.get_mut(piece.page), other.pages.get(piece.page))
            {
                page.clone_from(from);
            }
        }
    }

    /// The numbers of the pages that are not blank.
    pub(super) fn used(&self) -> impl Iterator<Item = u64> {
        let blank = BLANK.hash();
        let numbered = (0..).zip(&self.pages);
        numbered.filter_map(move |(number, page)| (page.hash() != blank).then_some(number))
    }

    /// A hash of the content: equal contents have equal hashes.
    pub(super) fn hash(&self) -> u64 {
        let hashes = self.pages.iter().map(|page| page.hash());
        hashes.fold(mix(self.length), |hash, page| mix(hash ^ page))
    }

    fn check(&self, offset: u64, length: usize) -> io::Result<()> {
        let end = offset.checked_add(length as u64);
        match end.filter(|end| *end <= self.length) {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl PartialEq for Pages {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length
            && self.pages.len() == other.pages.len()
            && std::iter::zip(&self.pages, &other.pages)
                .all(|(one, other)| Arc::ptr_eq(one, other) || one.bytes == other.bytes)
    }
}

impl Eq for Pages {}

impl Write {
    pub(super) fn new(offset: u64, data: &[u8]) -> Self {
        let filled = pieces(offset, data.len()).filter_map(|piece| {
            let bytes = data[piece.at..][..piece.length].try_into().ok()?;
            Some(Arc::new(Page::of(bytes)))
        });
        Self {
            offset,
            data: Arc::from(data),
            full_pages: filled.collect(),
        }
    }

    /// The index of the byte after the last.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.data.len() as u64
    }

    pub(super) fn hash(&self) -> u64 {
        mix(self.offset) ^ hash_of(&self.data)
    }
}

impl PartialEq for Write {
    fn eq(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.data, &other.data) || self.data == other.data;
        self.offset == other.offset && same
    }
}

impl Eq for Write {}

impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes at {}", self.data.len(), self.offset)
    }
}

impl Page {
    fn of(bytes: [u8; PAGE_BYTES]) -> Self {
        let hash = OnceLock::new();
        Self { bytes, hash }
    }

    fn hash(&self) -> u64 {
        *self.hash.get_or_init(|| hash_of(&self.bytes))
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.hash())
    }
}

/// A hash of bytes that is the same in every process. It finds equal contents; it is not meant to
/// resist attackers.
pub(super) fn hash_of(bytes: &[u8]) -> u64 {
    // Four lanes, so that no multiplication waits for the one before it.
    let mut lanes = [1_u64, 2, 3, 4];
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in std::iter::zip(&mut lanes, words) {
            *lane = (*lane ^ u64::from_le_bytes(*word))
                .wrapping_mul(FACTOR)
                .rotate_left(29);
        }
    }
    let folded = lanes
        .into_iter()
        .fold(bytes.len() as u64, |hash, lane| mix(hash ^ lane));
    rest.iter()
        .fold(folded, |hash, byte| mix(hash ^ u64::from(*byte)))
}

/// An odd number without a pattern: the bits of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

pub(super) fn mix(hash: u64) -> u64 {
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(FACTOR);
    (mixed ^ (mixed >> 29)).wrapping_mul(FACTOR)
}

/// The part of a range of bytes that lies in one page.
struct Piece {
    page: usize,
    start: usize,
    length: usize,
    /// Its position in the range.
    at: usize,
}

fn pieces(offset: u64, length: usize) -> impl Iterator<Item = Piece> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = offset.checked_add(at as u64)?;
        let start = (from % PAGE_BYTES as u64) as usize;
        let piece = Piece {
            page: usize::try_from(from / PAGE_BYTES as u64).ok()?,
            start,
            length: (length - at).min(PAGE_BYTES - start),
            at,
        };
        at += piece.length;
        (piece.length > 0).then_some(piece)
    })
}
