//! Finding a text in which some characters are any (Baeza-Yates and Gonnet, "A new approach to text searching": the
//! states of all attempts as bits, moved on together for each byte).

/// Bits of a word.
const WORD: usize = u64::BITS as usize;

/// Where the first place ends at which the text has the needle: bytes that are themselves, and none for
/// any one character. Steps are taken for the words of the table, and for those of the states with each byte.
pub(super) fn end_of<E>(
    needle: &[Option<u8>],
    text: &str,
    take: impl Fn(usize) -> Result<(), E>,
) -> Result<Option<usize>, E> {
    let Some(last) = needle.len().checked_sub(1) else { return Ok(Some(0)) };
    take(needle.len().div_ceil(WORD) * (2 + needle.len().min(256)))?;
    let table = Table::of(needle);
    let mut states = vec![0_u64; table.words];
    for (at, byte) in text.bytes().enumerate() {
        take(table.words)?;
        // The second and later bytes of a character.
        let continues = byte & 0b1100_0000 == 0b1000_0000;
        let row = table.row(byte);
        let mut carry = 1;
        for (index, state) in states.iter_mut().enumerate() {
            let moved = *state << 1 | carry;
            carry = *state >> (WORD - 1);
            let any = table.any[index];
            let here = row.get(index).copied().unwrap_or_default();
            *state = if continues { moved & here | *state & any } else { moved & (here | any) };
        }
        if states[last / WORD] >> (last % WORD) & 1 == 1 {
            return Ok(Some(text.ceil_char_boundary(at + 1)));
        }
    }
    Ok(None)
}

/// For each byte of a needle the places at which it stands.
struct Table {
    words: usize,
    /// The places of any character.
    any: Vec<u64>,
    rows: Vec<u64>,
    /// The row of each byte, counted from one; zero if it stands nowhere.
    row_of: [u16; 256],
}

impl Table {
    fn of(needle: &[Option<u8>]) -> Self {
        let words = needle.len().div_ceil(WORD);
        let mut table = Self { words, any: vec![0; words], rows: Vec::new(), row_of: [0; 256] };
        for (place, byte) in needle.iter().enumerate() {
            let row = match byte {
                Some(byte) => table.row_mut(*byte),
                None => &mut table.any,
            };
            row[place / WORD] |= 1 << (place % WORD);
        }
        table
    }

    fn row_mut(&mut self, byte: u8) -> &mut [u64] {
        let of = &mut self.row_of[usize::from(byte)];
        if *of == 0 {
            self.rows.resize(self.rows.len() + self.words, 0);
            *of = u16::try_from(self.rows.len() / self.words).unwrap_or(u16::MAX);
        }
        let start = usize::from(*of - 1) * self.words;
        &mut self.rows[start..start + self.words]
    }

    fn row(&self, byte: u8) -> &[u64] {
        let Some(row) = self.row_of[usize::from(byte)].checked_sub(1) else { return &[] };
        let start = usize::from(row) * self.words;
        &self.rows[start..start + self.words]
    }
}
