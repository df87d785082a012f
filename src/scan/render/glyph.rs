//! Letters of five by seven dots, as far as a counter needs them.

pub(super) const COLUMNS: usize = 5;
pub(super) const ROWS: usize = 7;

/// Each row's dots, the leftmost one in the highest of five bits.
const GLYPHS: [(char, [u8; ROWS]); 28] = [
    ('0', [14, 17, 19, 21, 25, 17, 14]),
    ('1', [4, 12, 4, 4, 4, 4, 14]),
    ('2', [14, 17, 1, 2, 4, 8, 31]),
    ('3', [31, 2, 4, 2, 1, 17, 14]),
    ('4', [2, 6, 10, 18, 31, 2, 2]),
    ('5', [31, 16, 30, 1, 1, 17, 14]),
    ('6', [6, 8, 16, 30, 17, 17, 14]),
    ('7', [31, 1, 2, 4, 8, 8, 8]),
    ('8', [14, 17, 17, 14, 17, 17, 14]),
    ('9', [14, 17, 17, 15, 1, 2, 12]),
    ('A', [14, 17, 17, 31, 17, 17, 17]),
    ('E', [31, 16, 16, 30, 16, 16, 31]),
    ('F', [31, 16, 16, 30, 16, 16, 16]),
    ('G', [14, 17, 16, 23, 17, 17, 15]),
    ('I', [14, 4, 4, 4, 4, 4, 14]),
    ('K', [17, 18, 20, 24, 20, 18, 17]),
    ('L', [16, 16, 16, 16, 16, 16, 31]),
    ('M', [17, 27, 21, 21, 17, 17, 17]),
    ('N', [17, 25, 21, 19, 17, 17, 17]),
    ('O', [14, 17, 17, 17, 17, 17, 14]),
    ('P', [30, 17, 17, 30, 16, 16, 16]),
    ('R', [30, 17, 17, 30, 20, 18, 17]),
    ('S', [15, 16, 16, 14, 1, 1, 30]),
    ('T', [31, 4, 4, 4, 4, 4, 4]),
    ('Y', [17, 17, 10, 4, 4, 4, 4]),
    ('%', [24, 25, 2, 4, 8, 19, 3]),
    ('.', [0, 0, 0, 0, 0, 12, 12]),
    ('-', [0, 0, 0, 31, 0, 0, 0]),
];

/// The dots of a letter as columns and rows; none for one that is not there.
pub(super) fn dots(letter: char) -> impl Iterator<Item = (usize, usize)> {
    let rows = GLYPHS.iter().find(|(known, _)| *known == letter).map_or([0; ROWS], |(_, rows)| *rows);
    (0..ROWS * COLUMNS)
        .map(|at| (at % COLUMNS, at / COLUMNS))
        .filter(move |(column, row)| rows[*row] >> (COLUMNS - 1 - column) & 1 == 1)
}
