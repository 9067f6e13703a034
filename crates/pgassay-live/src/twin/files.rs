//! Files of relations: holes of the right size, and the first pages of indexes.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use super::TwinError;
use super::btree::{self, PAGE, put_u32};
use super::metapage::PAGE_HEADER;
use crate::facts::planner::Metapage;
use crate::machine::{give, owner, read_at, write_at};

/// Pages of a file; the rest of the relation is in files named `.1`, `.2` … (RELSEG_SIZE).
const SEGMENT: u64 = 131_072;

/// Entries of a page of BRIN's range map: (8192 - 24 - 8) / 6.
const RANGES_PER_MAP_PAGE: u64 = 1360;

/// What a file is to look like.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// Of the first segment, in the data folder.
    pub path: PathBuf,
    pub blocks: u64,
    pub head: Head,
}

/// What the first pages have to say.
#[derive(Debug, Clone, Copy)]
pub(super) enum Head {
    /// Nothing, or what the server wrote.
    AsItIs,
    BTree {
        height: u32,
    },
    Gin(Metapage),
    Brin {
        table_blocks: u64,
    },
}

impl Shape {
    /// Writes the head and makes the file as long as it is to be. Takes no space on the disk.
    pub(super) fn write(&self, data: &Path) -> Result<(), TwinError> {
        let path = data.join(&self.path);
        let failed = |source| TwinError::File { path: path.clone(), source };
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
        let written = self.write_head(&file).map_err(failed)?;
        // A relation is never shorter than what stands at its beginning.
        let blocks = self.blocks.max(written);
        let owner = owner(&file.metadata().map_err(failed)?);
        file.set_len(blocks.min(SEGMENT) * PAGE as u64).map_err(failed)?;
        for segment in 1..blocks.div_ceil(SEGMENT).max(1) {
            let path = segment_path(&path, segment);
            let failed = |source| TwinError::File { path: path.clone(), source };
            let file = File::create(&path).map_err(failed)?;
            give(&path, owner).map_err(failed)?;
            file.set_len((blocks - segment * SEGMENT).min(SEGMENT) * PAGE as u64).map_err(failed)?;
        }
        Ok(())
    }

    /// Returns the pages that stand at the beginning.
    fn write_head(&self, file: &File) -> std::io::Result<u64> {
        let existing = file.metadata()?.len() / PAGE as u64;
        let mut first = [0; PAGE];
        match self.head {
            // Pages of tables hold nothing; those of other indexes must stay.
            Head::AsItIs => return Ok(0),
            Head::BTree { .. } | Head::Gin(_) | Head::Brin { .. } if existing == 0 => return Ok(0),
            Head::BTree { height } => {
                // A tree of one page is the first page alone: it has no root yet.
                if self.blocks <= 1 {
                    return Ok(1);
                }
                read_at(file, &mut first, 0)?;
                let pages = btree::grow(&mut first, height);
                for (block, page) in (1..).zip(&pages) {
                    write_at(file, page, block * PAGE as u64)?;
                }
                write_at(file, &first, 0)?;
                return Ok(1 + pages.len() as u64);
            }
            Head::Gin(Metapage::Gin { pending_pages, total_pages, entry_pages, data_pages, entries }) => {
                read_at(file, &mut first, 0)?;
                let low = (entries & 0xffff_ffff) as u32;
                let high = (entries >> 32) as u32;
                let numbers = [
                    (12, pending_pages),
                    (24, total_pages),
                    (28, entry_pages),
                    (32, data_pages),
                    (40, low),
                    (44, high),
                ];
                for (place, number) in numbers {
                    put_u32(&mut first, PAGE_HEADER + place, number);
                }
            }
            Head::Gin(Metapage::BTree { .. }) => return Ok(existing),
            Head::Brin { table_blocks } => {
                read_at(file, &mut first, 0)?;
                let place = PAGE_HEADER + 8;
                let per_range = u32::from_le_bytes(first[place..place + 4].try_into().unwrap_or([128, 0, 0, 0]));
                let ranges = table_blocks.div_ceil(u64::from(per_range.max(1)));
                let map_pages = ranges.div_ceil(RANGES_PER_MAP_PAGE).max(1);
                put_u32(&mut first, place + 4, u32::try_from(map_pages).unwrap_or(u32::MAX));
            }
        }
        write_at(file, &first, 0)?;
        Ok(existing)
    }

    /// Empties the file, so that an index can be built without reading holes.
    pub(super) fn clear(&self, data: &Path) -> Result<(), TwinError> {
        let first = data.join(&self.path);
        for segment in 0.. {
            let path = if segment == 0 { first.clone() } else { segment_path(&first, segment) };
            match fs::exists(&path) {
                Ok(true) => {}
                _ => return Ok(()),
            }
            let file = OpenOptions::new().write(true).open(&path);
            file.and_then(|file| file.set_len(0)).map_err(|source| TwinError::File { path, source })?;
        }
        Ok(())
    }
}

fn segment_path(first: &Path, segment: u64) -> PathBuf {
    let mut name = first.as_os_str().to_owned();
    name.push(format!(".{segment}"));
    PathBuf::from(name)
}
