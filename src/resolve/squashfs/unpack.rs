//! Takes the blocks of a squashfs image out of their compression.

use std::io::{Error, ErrorKind, Read, Result};

use liblzma::read::XzDecoder;
use liblzma::stream::Stream;

/// How the blocks of an image are compressed, by the number in its superblock.
#[derive(Debug, Clone, Copy)]
pub enum Compression {
    Gzip,
    Lzma,
    Lzo,
    Xz,
    Lz4,
    Zstd,
}

impl Compression {
    /// # Errors
    /// No such compression is known.
    pub fn from_number(number: u16) -> Result<Self> {
        Ok(match number {
            1 => Compression::Gzip,
            2 => Compression::Lzma,
            3 => Compression::Lzo,
            4 => Compression::Xz,
            5 => Compression::Lz4,
            6 => Compression::Zstd,
            other => return Err(Error::other(format!("unknown compression {other}"))),
        })
    }

    /// What was packed; `most` is the greatest length that it can have.
    ///
    /// # Errors
    /// It is damaged, or longer.
    pub fn unpack(self, packed: &[u8], most: usize) -> Result<Vec<u8>> {
        match self {
            Compression::Gzip => read(flate2::read::ZlibDecoder::new(packed), most),
            Compression::Xz => read(XzDecoder::new(packed), most),
            Compression::Lzma => {
                /// Bytes of memory that a block of a megabyte may want.
                const MEMORY: u64 = 64 * 1024 * 1024;
                let stream = Stream::new_lzma_decoder(MEMORY).map_err(Error::other)?;
                read(XzDecoder::new_stream(packed, stream), most)
            }
            Compression::Zstd => zstd::bulk::decompress(packed, most),
            Compression::Lz4 => lz4_flex::decompress(packed, most).map_err(Error::other),
            Compression::Lzo => {
                let mut unpacked = vec![0; most];
                let (used, outcome) =
                    rust_lzo::LZOContext::decompress_to_slice(packed, &mut unpacked);
                let length = used.len();
                if outcome != rust_lzo::LZOError::OK {
                    return Err(Error::from(ErrorKind::InvalidData));
                }
                unpacked.truncate(length);
                Ok(unpacked)
            }
        }
    }
}

fn read(unpacker: impl Read, most: usize) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    unpacker.take(most as u64 + 1).read_to_end(&mut unpacked)?;
    if unpacked.len() > most {
        return Err(Error::new(ErrorKind::InvalidData, "a block is too long"));
    }
    Ok(unpacked)
}
