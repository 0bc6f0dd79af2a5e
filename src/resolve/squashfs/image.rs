//! Reads folders and small files of a squashfs image (version 4, as the kernel's `squashfs_fs.h` has
//! it), one at a time: what is not asked for is not read, whatever it holds.

mod link;

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::unpack::Compression;
use crate::host::regular_file;

const MAGIC: u32 = 0x7371_7368;
const VERSION: u16 = 4;
/// Bytes of a superblock.
const SUPERBLOCK: usize = 96;
/// Most bytes of metadata in one block.
const METADATA: usize = 8192;
/// Bytes of an entry of the table of fragments, and how many are in one block of it.
const FRAGMENT: u64 = 16;
const FRAGMENTS: u64 = METADATA as u64 / FRAGMENT;
/// Longest list of a folder's entries that is read: some hundred thousand of them.
const LONGEST_LIST: usize = 32 * 1024 * 1024;

/// An image that is open.
pub struct Image {
    file: File,
    compression: Compression,
    block_size: u32,
    root: Reference,
    inodes: u64,
    folders: u64,
    fragments: u64,
}

/// Where an inode is: its block, counted from the first, and its place in that.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    block: u64,
    offset: usize,
}

/// An entry of a folder.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: Vec<u8>,
    pub kind: Kind,
    inode: Reference,
}

/// What an entry is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Folder,
    File,
    Link,
    Other,
}

/// Why there is nothing to be read.
#[derive(Debug, Serialize, Deserialize)]
pub enum Unread {
    /// The file is no squashfs image at all.
    NoImage,
    /// It is one, and is damaged or of a form that is not known.
    Failed(String),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Unread::Failed(error.to_string())
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

impl Image {
    /// Opens an image.
    ///
    /// # Errors
    /// It cannot be read, or is none that is known.
    pub fn open(path: &Path) -> std::result::Result<Self, Unread> {
        let file = regular_file::open(path)?;
        let mut bytes = [0; SUPERBLOCK];
        match file.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(Unread::NoImage),
            other => other?,
        }
        let mut fields = Fields(&bytes);
        if fields.u32()? != MAGIC {
            return Err(Unread::NoImage);
        }
        fields.skip(8)?; // how many inodes, and when it was made
        let block_size = fields.u32()?;
        fields.skip(4)?; // how many fragments
        let compression = Compression::from_number(fields.u16()?)?;
        fields.skip(6)?;
        if fields.u16()? != VERSION || !(4096..=1 << 20).contains(&block_size) {
            return Err(invalid("not of version 4").into());
        }
        fields.skip(2)?;
        let root = Reference::read(fields.u64()?);
        fields.skip(24)?; // the length, ids, attributes
        Ok(Image {
            file,
            compression,
            block_size,
            root,
            inodes: fields.u64()?,
            folders: fields.u64()?,
            fragments: fields.u64()?,
        })
    }

    /// The entries of the folder at the top.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn top(&self) -> Result<Vec<Entry>> {
        self.entries_of(self.root)
    }

    /// The entries of a folder; of anything else, none.
    ///
    /// # Errors
    /// The image is damaged, or the list is too long.
    pub fn entries(&self, entry: &Entry) -> Result<Vec<Entry>> {
        match entry.kind {
            Kind::Folder => self.entries_of(entry.inode),
            _ => Ok(Vec::new()),
        }
    }

    fn entries_of(&self, inode: Reference) -> Result<Vec<Entry>> {
        let mut cursor = Cursor::new(self, self.inodes, inode);
        let header = cursor.take(16)?;
        let body = match Fields(&header).u16()? {
            1 => cursor.take(16)?,
            8 => cursor.take(24)?,
            _ => return Err(invalid("not a folder")),
        };
        let is_basic = Fields(&header).u16()? == 1;
        let mut fields = Fields(&body);
        let (block, length, offset) = if is_basic {
            let block = fields.u32()?;
            fields.skip(4)?;
            let length = u32::from(fields.u16()?);
            (block, length, fields.u16()?)
        } else {
            fields.skip(4)?;
            let length = fields.u32()?;
            let block = fields.u32()?;
            fields.skip(6)?; // the folder above, how many indices
            (block, length, fields.u16()?)
        };
        // Its own entry and that of the folder above are counted and not written.
        let length = (length as usize).saturating_sub(3);
        if length == 0 {
            return Ok(Vec::new()); // its place need not be one
        }
        if length > LONGEST_LIST {
            return Err(invalid("a folder is too long"));
        }
        let place = Reference {
            block: block.into(),
            offset: offset.into(),
        };
        let list = Cursor::new(self, self.folders, place).take(length)?;
        read_list(&list)
    }

    /// What a file holds, when it is a regular one of at most `most` bytes.
    ///
    /// # Errors
    /// It is none, or longer; the image is damaged.
    pub fn read(&self, entry: &Entry, most: usize) -> Result<Vec<u8>> {
        let mut cursor = Cursor::new(self, self.inodes, entry.inode);
        let header = cursor.take(16)?;
        let (mut at, length, fragment, offset);
        match Fields(&header).u16()? {
            2 => {
                let body = cursor.take(16)?;
                let mut fields = Fields(&body);
                at = u64::from(fields.u32()?);
                fragment = fields.u32()?;
                offset = fields.u32()? as usize;
                length = u64::from(fields.u32()?);
            }
            9 => {
                let body = cursor.take(40)?;
                let mut fields = Fields(&body);
                at = fields.u64()?;
                length = fields.u64()?;
                fields.skip(12)?; // how much of it is holes, how many links
                fragment = fields.u32()?;
                offset = fields.u32()? as usize;
            }
            _ => return Err(invalid("not a regular file")),
        }
        if length > most as u64 {
            return Err(invalid(&format!("longer than {most} bytes")));
        }
        let (length, block) = (length as usize, self.block_size as usize);
        let is_whole = fragment == u32::MAX;
        let blocks = match is_whole {
            true => length.div_ceil(block),
            false => length / block,
        };
        let sizes = cursor.take(blocks * 4)?;
        let mut sizes = Fields(&sizes);
        let mut content = Vec::with_capacity(length);
        for _ in 0..blocks {
            let size = sizes.u32()?;
            let left = (length - content.len()).min(block);
            let (bytes, packed) = self.data(at, size, left)?;
            content.extend(bytes);
            at += packed;
        }
        if !is_whole {
            let left = length - content.len();
            let tail = self.fragment(fragment)?;
            let end = offset.checked_add(left).ok_or_else(|| invalid("a tail"))?;
            let tail = tail.get(offset..end);
            content.extend(tail.ok_or_else(|| invalid("a tail is missing"))?);
        }
        Ok(content)
    }

    /// A block of data of `length` bytes at most, and how long it is in the image.
    fn data(&self, at: u64, size: u32, length: usize) -> Result<(Vec<u8>, u64)> {
        const PLAIN: u32 = 1 << 24;
        let (is_plain, size) = (size & PLAIN != 0, size & (PLAIN - 1));
        if size == 0 {
            return Ok((vec![0; length], 0)); // a hole
        }
        if size > self.block_size {
            return Err(invalid("a block is too long"));
        }
        let bytes = self.bytes(at, size as usize)?;
        let bytes = match is_plain {
            true => bytes,
            false => self.compression.unpack(&bytes, self.block_size as usize)?,
        };
        Ok((bytes, size.into()))
    }

    /// The block in which the ends of several files are.
    fn fragment(&self, number: u32) -> Result<Vec<u8>> {
        let number = u64::from(number);
        let table = self.fragments.checked_add(number / FRAGMENTS * 8);
        let table = table.ok_or_else(|| invalid("no such fragment"))?;
        let place = Fields(&self.bytes(table, 8)?).u64()?;
        let offset = (number % FRAGMENTS * FRAGMENT) as usize;
        let place_in_it = Reference { block: 0, offset };
        let entry = Cursor::new(self, place, place_in_it).take(FRAGMENT as usize)?;
        let mut fields = Fields(&entry);
        let (at, size) = (fields.u64()?, fields.u32()?);
        self.data(at, size, 0).map(|(bytes, _)| bytes)
    }

    /// A block of metadata, and where the next one begins.
    fn metadata(&self, at: u64) -> Result<(Vec<u8>, u64)> {
        const PLAIN: u16 = 1 << 15;
        let header = Fields(&self.bytes(at, 2)?).u16()?;
        let size = usize::from(header & (PLAIN - 1));
        if size > METADATA {
            return Err(invalid("a block of metadata is too long"));
        }
        let bytes = self.bytes(at + 2, size)?;
        let bytes = match header & PLAIN != 0 {
            true => bytes,
            false => self.compression.unpack(&bytes, METADATA)?,
        };
        Ok((bytes, at + 2 + size as u64))
    }

    fn bytes(&self, at: u64, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

fn read_list(list: &[u8]) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut fields = Fields(list);
    while !fields.0.is_empty() {
        let count = u64::from(fields.u32()?) + 1;
        let block = u64::from(fields.u32()?);
        fields.skip(4)?; // the number of the first inode
        for _ in 0..count {
            let offset = fields.u16()?.into();
            fields.skip(2)?;
            let kind = match fields.u16()? {
                1 => Kind::Folder,
                2 => Kind::File,
                3 => Kind::Link,
                _ => Kind::Other,
            };
            let length = usize::from(fields.u16()?) + 1;
            entries.push(Entry {
                name: fields.take(length)?.to_owned(),
                kind,
                inode: Reference { block, offset },
            });
        }
    }
    Ok(entries)
}

impl Reference {
    fn read(number: u64) -> Self {
        Reference {
            block: number >> 16,
            offset: (number & 0xffff) as usize,
        }
    }
}

/// Metadata, read on from a place over the ends of blocks.
struct Cursor<'a> {
    image: &'a Image,
    /// What has been unpacked and not taken.
    bytes: Vec<u8>,
    /// Bytes to be passed over.
    skip: usize,
    next: u64,
}

impl<'a> Cursor<'a> {
    fn new(image: &'a Image, table: u64, place: Reference) -> Self {
        Cursor {
            image,
            bytes: Vec::new(),
            skip: place.offset,
            next: table.saturating_add(place.block),
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.bytes.len() < self.skip + length {
            let (bytes, next) = self.image.metadata(self.next)?;
            if bytes.is_empty() {
                return Err(invalid("a block of metadata is empty"));
            }
            self.bytes.extend(bytes);
            self.next = next;
        }
        self.bytes.drain(..self.skip);
        self.skip = 0;
        Ok(self.bytes.drain(..length).collect())
    }
}

/// Numbers one after the other, little-endian.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let cut = self.0.split_at_checked(length);
        let (taken, rest) = cut.ok_or_else(|| invalid("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn skip(&mut self, length: usize) -> Result<()> {
        self.take(length).map(drop)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("of that length"))
    }

    fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }
}
