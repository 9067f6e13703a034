//! A B-tree of a given height without entries, as pages.
//!
//! The planner charges every descent for the height that the first page names, and looks at the ends of an index for the smallest and
//! the largest value. It must find a valid tree there: one page for each level, each the only one of its level, the lowest an empty leaf.
//! Structures: PageHeaderData (bufpage.h), BTPageOpaqueData and BTMetaPageData (nbtree.h), IndexTupleData (itup.h); B-tree version 4,
//! which 14 to 18 have.

pub(super) const PAGE: usize = 8192;

const SPECIAL: u16 = 8176;
const LEAF: u16 = 1;
const ROOT: u16 = 2;

/// Changes the first page to name a root at this height, and returns the pages that follow it.
pub(super) fn grow(metapage: &mut [u8; PAGE], height: u32) -> Vec<[u8; PAGE]> {
    // After magic and version: root, level, fastroot, fastlevel.
    for (place, value) in [(8, 1), (12, height), (16, 1), (20, height)] {
        put_u32(metapage, super::metapage::PAGE_HEADER + place, value);
    }
    let mut pages: Vec<_> = (1..=height).map(|block| internal(block, height + 1 - block, block == 1)).collect();
    pages.push(empty(0, LEAF | if height == 0 { ROOT } else { 0 }));
    pages
}

/// A page above the leaves with one pivot tuple that has no columns (minus infinity) and points at the next page.
fn internal(block: u32, level: u32, root: bool) -> [u8; PAGE] {
    const TUPLE: u16 = 8;
    let mut page = empty(level, if root { ROOT } else { 0 });
    let place = SPECIAL - TUPLE;
    put_u16(&mut page, 12, 28);
    put_u16(&mut page, 14, place);
    // ItemIdData: offset in 15 bits, flags in 2 (LP_NORMAL), length in 15.
    put_u32(&mut page, 24, u32::from(place) | (1 << 15) | (u32::from(TUPLE) << 17));
    let child = block + 1;
    let tuple = usize::from(place);
    put_u16(&mut page, tuple, (child >> 16) as u16);
    put_u16(&mut page, tuple + 2, (child & 0xffff) as u16);
    // No columns; INDEX_ALT_TID_MASK says that this number is here.
    put_u16(&mut page, tuple + 4, 0);
    put_u16(&mut page, tuple + 6, TUPLE | 0x2000);
    page
}

fn empty(level: u32, flags: u16) -> [u8; PAGE] {
    let mut page = [0; PAGE];
    put_u16(&mut page, 12, 24);
    put_u16(&mut page, 14, SPECIAL);
    put_u16(&mut page, 16, SPECIAL);
    // The size and the version of the layout.
    put_u16(&mut page, 18, PAGE as u16 | 4);
    put_u32(&mut page, usize::from(SPECIAL) + 8, level);
    put_u16(&mut page, usize::from(SPECIAL) + 12, flags);
    page
}

pub(super) fn put_u16(page: &mut [u8; PAGE], at: usize, value: u16) {
    page[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

pub(super) fn put_u32(page: &mut [u8; PAGE], at: usize, value: u32) {
    page[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
