//! Where links lead.

use std::io::Result;

use super::{Cursor, Entry, Fields, Image, invalid};

/// Longest target, as Linux has it (`PATH_MAX`).
const LONGEST: usize = 4096;

impl Image {
    /// What a link says.
    ///
    /// # Errors
    /// It is none; the image is damaged.
    pub fn target(&self, entry: &Entry) -> Result<Vec<u8>> {
        let mut cursor = Cursor::new(self, self.inodes, entry.inode);
        let header = cursor.take(16)?;
        if ![3, 10].contains(&Fields(&header).u16()?) {
            return Err(invalid("not a link"));
        }
        let body = cursor.take(8)?;
        let mut fields = Fields(&body);
        fields.skip(4)?; // how many links there are to it
        let length = fields.u32()? as usize;
        if length > LONGEST {
            return Err(invalid("a link is too long"));
        }
        cursor.take(length)
    }
}
