//! The bytes of extended statistics: what in them belongs to one catalog only is exchanged for what another catalog has.
//!
//! Layouts are those of statext_ndistinct_serialize, statext_dependencies_serialize and statext_mcv_serialize (src/backend/statistics),
//! the same in 14 to 18. Numbers are in the order of bytes of the machine, which is little-endian wherever this runs.

use std::collections::BTreeMap;

/// How numbers of the database translate to the twin's.
#[derive(Debug, Default)]
pub(super) struct Translation {
    /// Numbers of columns.
    pub columns: BTreeMap<i16, i16>,
    /// OIDs of types.
    pub types: BTreeMap<u32, u32>,
    /// OIDs of values of enums.
    pub enum_labels: BTreeMap<u32, u32>,
}

/// Bytes of pg_ndistinct. `None` if they are not understood.
pub(super) fn n_distinct(hex: &str, translation: &Translation) -> Option<String> {
    let mut bytes = Bytes::of(hex)?;
    let items = bytes.u32_at(8)?;
    let mut at = 12;
    for _ in 0..items {
        // A float8 and the number of columns.
        let columns = usize::try_from(bytes.u32_at(at + 8)?).ok()?;
        at = bytes.translate_columns(at + 12, columns, translation)?;
    }
    (at == bytes.0.len()).then(|| bytes.hex())
}

/// Bytes of pg_dependencies.
pub(super) fn dependencies(hex: &str, translation: &Translation) -> Option<String> {
    let mut bytes = Bytes::of(hex)?;
    let items = bytes.u32_at(8)?;
    let mut at = 12;
    for _ in 0..items {
        let columns = usize::from(bytes.u16_at(at + 8)?);
        at = bytes.translate_columns(at + 10, columns, translation)?;
    }
    (at == bytes.0.len()).then(|| bytes.hex())
}

/// A dimension's description: nvalues, nbytes, nbytes_aligned, typlen, and typbyval with padding.
const DIMENSION: usize = 20;

/// Bytes of pg_mcv_list.
pub(super) fn most_common(hex: &str, translation: &Translation) -> Option<String> {
    let mut bytes = Bytes::of(hex)?;
    let dimensions = usize::from(bytes.u16_at(12)?);
    let types = 14;
    let descriptions = types + 4 * dimensions;
    let mut values = descriptions + DIMENSION * dimensions;
    for dimension in 0..dimensions {
        let place = types + 4 * dimension;
        let source = bytes.u32_at(place)?;
        if let Some(twin) = translation.types.get(&source) {
            bytes.put_u32(place, *twin)?;
        }
        let description = descriptions + DIMENSION * dimension;
        let length = usize::try_from(bytes.u32_at(description + 4)?).ok()?;
        let (type_length, by_value) = (bytes.u32_at(description + 12)?, *bytes.0.get(description + 16)?);
        if by_value == 1 && type_length == 4 {
            for at in (values..values + length).step_by(4) {
                if let Some(twin) = translation.enum_labels.get(&bytes.u32_at(at)?).filter(|_| is_user_type(source)) {
                    bytes.put_u32(at, *twin)?;
                }
            }
        }
        values += length;
    }
    (values <= bytes.0.len()).then(|| bytes.hex())
}

/// FirstNormalObjectId (transam.h).
fn is_user_type(oid: u32) -> bool {
    oid >= 16_384
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn of(hex: &str) -> Option<Bytes> {
        unhex(hex).map(Bytes)
    }

    fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.0.get(at..at + 4)?.try_into().ok()?))
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.0.get(at..at + 2)?.try_into().ok()?))
    }

    fn put_u32(&mut self, at: usize, value: u32) -> Option<()> {
        self.0.get_mut(at..at + 4)?.copy_from_slice(&value.to_le_bytes());
        Some(())
    }

    /// Expressions have negative numbers, which mean the same everywhere.
    fn translate_columns(&mut self, at: usize, columns: usize, translation: &Translation) -> Option<usize> {
        for place in (0..columns).map(|column| at + 2 * column) {
            let source = self.u16_at(place)?.cast_signed();
            if source > 0 {
                let twin = translation.columns.get(&source)?;
                self.0.get_mut(place..place + 2)?.copy_from_slice(&twin.to_le_bytes());
            }
        }
        Some(at + 2 * columns)
    }
}

/// Bytes of a hexadecimal text.
pub(super) fn unhex(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?)).collect()
}
