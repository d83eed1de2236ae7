//! The lines of a file from its end, without reading more of it than is asked for.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

const BLOCK: u64 = 64 << 10;
/// What is longer is no line: it comes in pieces of about this size, so that no file fills the memory.
const LONGEST: usize = 8 << 20;

/// The bytes between two line ends, and where the first of them is.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    pub at: u64,
    pub bytes: Vec<u8>,
}

/// Empty pieces are left out.
pub struct Backwards<R = File> {
    file: R,
    /// What was read, and is no whole piece yet.
    held: VecDeque<u8>,
    /// Where the held bytes begin: all before is not read.
    at: u64,
    /// Held bytes at the end that are known to have no line's end in them.
    plain: usize,
}

impl<R: Read + Seek> Backwards<R> {
    pub fn new(mut file: R) -> io::Result<Self> {
        let at = file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            held: VecDeque::new(),
            at,
            plain: 0,
        })
    }

    /// Bytes that no piece has been taken from.
    pub fn left(&self) -> u64 {
        self.at + self.held.len() as u64
    }

    fn piece(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let unseen = self.held.len() - self.plain;
            let end = self.held.range(..unseen).rposition(|byte| *byte == b'\n');
            if let Some(end) = end {
                let bytes: Vec<u8> = self.held.drain(end + 1..).collect();
                self.held.pop_back();
                self.plain = 0;
                if !bytes.is_empty() {
                    let at = self.left() + 1;
                    return Ok(Some(Piece { at, bytes }));
                }
                continue;
            }
            self.plain = self.held.len();
            if self.at == 0 || self.held.len() >= LONGEST {
                self.plain = 0;
                let at = self.at;
                let bytes = Vec::from(std::mem::take(&mut self.held));
                return Ok((!bytes.is_empty()).then_some(Piece { at, bytes }));
            }
            self.more()?;
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let size = self.at.min(BLOCK);
        let from = self.at - size;
        let mut block = Vec::new();
        self.file.seek(SeekFrom::Start(from))?;
        (&mut self.file).take(size).read_to_end(&mut block)?;
        if (block.len() as u64) < size {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it was cut while it was read",
            ));
        }
        for byte in block.into_iter().rev() {
            self.held.push_front(byte);
        }
        self.at = from;
        Ok(())
    }
}

impl<R: Read + Seek> Iterator for Backwards<R> {
    type Item = io::Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        self.piece().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<Piece> {
        let pieces = Backwards::new(io::Cursor::new(bytes)).unwrap();
        pieces.map(Result::unwrap).collect()
    }

    #[test]
    fn a_file_without_lines_comes_in_pieces() {
        let bytes = vec![b'x'; LONGEST + LONGEST / 2];
        let pieces = all(&bytes);
        assert_eq!(pieces.len(), 2);
        assert_eq!(
            pieces.iter().map(|p| p.bytes.len()).sum::<usize>(),
            bytes.len()
        );
    }

    proptest! {
        #[test]
        fn the_same_lines_as_forwards(parts in proptest::collection::vec((0_usize..90_000, any::<bool>()), 0..12)) {
            let mut bytes = Vec::new();
            for (length, end) in parts {
                bytes.extend(std::iter::repeat_n(b'a', length));
                bytes.extend(end.then_some(b'\n'));
            }
            let mut forwards = Vec::new();
            let mut at = 0;
            for part in bytes.split(|byte| *byte == b'\n') {
                if !part.is_empty() {
                    forwards.push(Piece { at, bytes: part.to_vec() });
                }
                at += part.len() as u64 + 1;
            }
            forwards.reverse();
            prop_assert_eq!(all(&bytes), forwards);
        }
    }
}
